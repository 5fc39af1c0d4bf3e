"""The checks before the stack starts."""

import os
import socket
from pathlib import Path

import pytest

from local import preflight
from local.redis import Redis
from local.stack import down
from promptsales.errors import ConfigError
from promptsales.settings import Settings


def test_clash_names_port_service_holder_and_setting() -> None:
    assert preflight.describe_clash(21003, "redis", "process 4711 (nginx)") == (
        "port 21003 of redis is held by process 4711 (nginx); stop that, or set PROMPTSALES_PORT_BASE to move the stack"
    )


def test_taken_port_is_found_with_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = Settings(
            state=tmp_path, port_base=port - Settings(state=tmp_path, port_base=2000).port("redis") + 2000
        )
        with pytest.raises(ConfigError, match=rf"port {port} of redis is held by process {os.getpid()} "):
            preflight.check_ports([Redis(settings)])


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "FIRST_START_MB", 10**9)
    with pytest.raises(ConfigError, match="1000000000 MB are needed"):
        preflight.check_disk(tmp_path)


def test_folder_with_only_settings_is_claimed(tmp_path: Path) -> None:
    assert preflight._is_unused(tmp_path)
    (tmp_path / "settings.env").touch(mode=0o600)
    assert preflight._is_unused(tmp_path)


def test_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ConfigError, match="holds other files"):
        preflight.claim_state(tmp_path)


def test_relative_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match="absolute"):
        preflight.claim_state(Path("state"))


def test_folder_without_our_mark_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ConfigError, match="nothing was stopped or removed"):
        down(Settings(state=tmp_path), remove=True)
    assert (tmp_path / "thesis.txt").exists()


def test_folder_of_ours_is_removed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / preflight.MARK).touch()
    down(Settings(state=state), remove=True)
    assert not state.exists()

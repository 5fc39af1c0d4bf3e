"""The supervisor's configuration and socket, and the errors it finds in logs."""

import os
from configparser import RawConfigParser
from pathlib import Path

import pytest

from local.service import Program
from local.supervisor import Supervisor, render, socket_path
from promptsales.errors import ConfigError


def parsed(text: str) -> RawConfigParser:
    parser = RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(text)
    return parser


def test_program_is_rendered(tmp_path: Path) -> None:
    program = Program("redis", ["/a b/redis", "50%"], tmp_path, {"KEY": "v%1"}, stop_wait_s=7)
    section = dict(parsed(render(tmp_path, tmp_path, [program]))["program:redis"])
    assert section["command"] == "'/a b/redis' 50%%"
    assert section["environment"] == 'KEY="v%%1"'
    assert (section["autostart"], section["autorestart"], section["stopwaitsecs"]) == ("false", "true", "7")
    assert "user" not in section


def test_postgres_is_stopped_alone_and_as_its_user(tmp_path: Path) -> None:
    program = Program("sources", ["postgres"], tmp_path, user="nobody", stop_signal="INT")
    section = parsed(render(tmp_path, tmp_path, [program]))["program:sources"]
    assert (section["user"], section["stopsignal"], section["stopasgroup"]) == ("nobody", "INT", "false")


@pytest.mark.parametrize("path", ["/a/b #1", "/a/b ;c", "/a\nb"])
def test_path_the_supervisor_would_cut_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="space before"):
        render(tmp_path, tmp_path, [Program("redis", ["redis"], Path(path))])


def test_socket_of_a_long_path_lies_in_a_folder_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    path = socket_path(Path("/", "x" * 120, "run"))
    assert path.parent.parent == tmp_path
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert socket_path(Path("/short/run")) == Path("/short/run/supervisor.sock")


def test_foreign_socket_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    long = Path("/", "x" * 120, "run")
    socket_path(long).parent.chmod(0o755)
    with pytest.raises(ConfigError, match="other users own or may open"):
        socket_path(long)


def test_no_supervisor_means_no_processes(tmp_path: Path) -> None:
    assert Supervisor(tmp_path).processes() == {}


def test_last_error_prefers_errors(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "kafka.log"
    supervisor = Supervisor(tmp_path)
    assert supervisor.last_error("kafka") == "it wrote nothing"
    log.write_text("one\n\n")
    assert supervisor.last_error("kafka") == "one"
    log.write_text("start\n2026 ERROR disk is gone (kafka)\nbye\n")
    assert supervisor.last_error("kafka") == "2026 ERROR disk is gone (kafka)"


def test_root_says_so() -> None:
    text = render(Path("/r"), Path("/l"), [])
    assert ("user=root" in text) is (os.geteuid() == 0)

"""Secrets are generated once, and only their owner can read them."""

from pathlib import Path

import pytest

from promptsales.errors import ConfigError
from promptsales.secrets import Secrets


def test_create_once(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    first = secrets.create("redis")
    assert len(bytes.fromhex(first)) == 32
    assert secrets.create("redis") == first
    assert (tmp_path / "secrets" / "redis").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_open_secret_is_refused(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.create("redis")
    (tmp_path / "redis").chmod(0o644)
    with pytest.raises(ConfigError, match="other users can read secret"):
        secrets.password("redis")

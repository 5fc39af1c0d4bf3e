"""Settings with passwords live in a file that only its owner can read, and no message quotes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from promptsales.errors import ConfigError
from promptsales.settings import settings

SECRET = "hunter2secret"
WAREHOUSE = f"PROMPTSALES_DSN__WAREHOUSE=postgresql://u:{SECRET}@h/dw\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the state folder's file of settings, with an environment that sets nothing else."""
    for name in [name for name in os.environ if name.startswith("PROMPTSALES_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PROMPTSALES_STATE", str(tmp_path))
    return tmp_path / "settings.env"


def write(file: Path, text: str, mode: int = 0o600) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def refusal() -> str:
    with pytest.raises(ConfigError) as error:
        settings.__wrapped__()
    assert SECRET not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    write(file, WAREHOUSE, mode)
    assert refusal() == f"other users can read or write settings file {file}; run `chmod 600 {file}`"
    file.chmod(0o600)
    assert settings.__wrapped__().address("warehouse") == f"postgresql://u:{SECRET}@h/dw"


def test_the_environment_overrides_each_line_of_its_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, f"# mine\n\nexport PROMPTSALES_PORT_BASE=31000\n{WAREHOUSE}PROMPTSALES_DSN__KAFKA='a:1'\n")
    monkeypatch.setenv("PROMPTSALES_DSN__KAFKA", "b:2")
    found = settings.__wrapped__()
    assert (found.port_base, found.dsn) == (31000, {"warehouse": f"postgresql://u:{SECRET}@h/dw", "kafka": "b:2"})
    monkeypatch.setenv("PROMPTSALES_PORT_BASE", "32000")
    assert settings.__wrapped__().port_base == 32000


def test_a_file_can_be_elsewhere(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMPTSALES_STATE")
    monkeypatch.setenv("PROMPTSALES_SETTINGS", str(tmp_path / "mine"))
    assert refusal() == (
        f"settings file {tmp_path}/mine, which PROMPTSALES_SETTINGS names, does not exist; create it or unset "
        "PROMPTSALES_SETTINGS"
    )
    write(tmp_path / "mine", f"PROMPTSALES_STATE={tmp_path}/state\n{WAREHOUSE}")
    found = settings.__wrapped__()
    assert (found.state, [*found.dsn]) == (tmp_path / "state", ["warehouse"])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"\n\npostgresql://u:{SECRET}@h/dw\n", "line 3: it is not NAME=value; put a value with spaces or quotes "),
        (f"PROMPTSALES_ALERT_MAIL='{SECRET}\n", "line 1: it is not NAME=value"),
        (f"{WAREHOUSE}PGPASSWORD={SECRET}\n", "line 2: PGPASSWORD is not a setting"),
        (f"PROMPTSALES_DSN__WAREHUOSE={SECRET}\n", "line 1: PROMPTSALES_DSN__WAREHUOSE is not a setting"),
        (f"{WAREHOUSE}# again\n{WAREHOUSE}", "line 3: PROMPTSALES_DSN__WAREHOUSE is set above already; delete one"),
        (
            "PROMPTSALES_STATE=/elsewhere\n",
            "line 1: PROMPTSALES_STATE has no effect inside the state folder; set it in",
        ),
        (
            f"PROMPTSALES_DSN__REDIS=redis://:${{{SECRET}}}@h\n",
            "line 1: the value of PROMPTSALES_DSN__REDIS holds ${, ",
        ),
    ],
)
def test_a_line_that_is_no_setting_is_named(file: Path, text: str, fault: str) -> None:
    write(file, text)
    assert refusal().startswith(f"settings file {file}, {fault}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"PROMPTSALES_DSN__WAREHOUSE=postgres//u:{SECRET}@h/d\n", "PROMPTSALES_DSN__WAREHOUSE"),
        (f"PROMPTSALES_PORT_BASE={SECRET}\n", "PROMPTSALES_PORT_BASE"),
        (f"PROMPTSALES_DSN={SECRET}\n", "PROMPTSALES_DSN"),
        (f"PROMPTSALES_ALERT_MAIL=smtp//u:{SECRET}@h\n", "PROMPTSALES_ALERT_MAIL"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_by_its_line(file: Path, text: str, name: str) -> None:
    write(file, f"# first\n{text}")
    assert refusal().endswith(f" (line 2 of {file} sets {name})")


def test_what_cannot_be_read_is_refused(file: Path) -> None:
    file.mkdir(mode=0o700)
    assert refusal() == f"settings file {file} cannot be read: IsADirectoryError; expected a text file"


def test_commands_read_it_and_refuse_in_one_line(file: Path) -> None:
    write(file, WAREHOUSE)
    command = [str(Path(sys.executable).parent / "promptsales"), "dsn", "warehouse"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == f"postgresql://u:{SECRET}@h/dw\n"
    file.chmod(0o644)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert (
        result.stderr.split()
        == f"error: other users can read or write settings file {file}; run `chmod 600 {file}`".split()
    )

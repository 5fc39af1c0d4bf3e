"""The file of settings: lines ``NAME=value`` that only its owner can read, so that no shell keeps a password.

It is ``settings.env`` in the state folder, or the file that the variable ``PROMPTSALES_SETTINGS`` names. A variable of
the environment overrides its line. Messages name the file and the line, never the value.
"""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from promptsales.errors import ConfigError

VARIABLE = "PROMPTSALES_SETTINGS"
NAME = "settings.env"
_STATE = "PROMPTSALES_STATE"


def find_settings_file(state: Path) -> Path | None:
    """Return the absolute path of the file of settings; None when there is none in the state folder.

    Raises:
        ConfigError: when the file that the environment names does not exist.
    """
    named = os.environ.get(VARIABLE)
    path = Path(named).expanduser().absolute() if named else state / NAME
    if named and not path.exists():
        raise ConfigError(
            f"settings file {path}, which {VARIABLE} names, does not exist; create it or unset {VARIABLE}"
        )
    return path if path.exists() else None


def check_settings_file(path: Path, known: Collection[str]) -> dict[str, int]:
    """Check a file of settings, and return the line of each variable that it sets.

    Raises:
        ConfigError: when other users can read the file, it cannot be read, or a line is no setting.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"other users can read or write settings file {path}; run `chmod 600 {path}`")
        with path.open(encoding="utf-8") as file:
            bindings = [binding for binding in parse_stream(file) if binding.key or binding.error]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"settings file {path} cannot be read: {type(error).__name__}; expected a text file"
        ) from None
    lines: dict[str, int] = {}
    for binding in bindings:
        line = _line_of(binding)
        for fault in _faults(binding, lines, known, is_named=VARIABLE in os.environ):
            raise ConfigError(
                f"settings file {path}, line {line}: {fault}; docs/reference/settings.md lists the settings"
            )
        lines[str(binding.key)] = line
    return lines


def _line_of(binding: Binding) -> int:
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _faults(binding: Binding, before: Collection[str], known: Collection[str], is_named: bool) -> Iterator[str]:
    name = binding.key or ""
    # any other text may be part of a password
    if binding.error or binding.value is None or not re.fullmatch(r"[A-Z][A-Z0-9_]{0,60}", name):
        yield "it is not NAME=value; put a value with spaces or quotes between single quotes"
    elif name not in known:
        yield f"{name} is not a setting"
    elif name in before:
        yield f"{name} is set above already; delete one of the lines"
    elif name == _STATE and not is_named:
        yield f"{name} has no effect inside the state folder; set it in the environment, or name the file by {VARIABLE}"
    elif "${" in binding.value:
        yield f"the value of {name} holds ${{, and variables are not replaced; in an address write $ as %24"


def describe_origin(message: str, path: Path | None, lines: dict[str, int]) -> str:
    """Return where the file sets the variables that a message names, as text to append to it."""
    origins = [
        f"line {line} of {path} sets {name}"
        for name, line in lines.items()
        if name not in os.environ and re.search(rf"\b{name}\b", message)
    ]
    return f" ({'; '.join(origins)})" if origins else ""

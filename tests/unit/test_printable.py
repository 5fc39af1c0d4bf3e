"""Text of sources is shown unchanged, except invisible characters and those that a terminal obeys."""

import logging
import re
import unicodedata
from io import StringIO
from pathlib import Path

import pytest
from mode.utils.logging import ExtensionFormatter

from promptsales.errors import ConfigError, PipelineError
from promptsales.printable import logger, printable

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/]", "[/]"),
        ("[bold]x :smile: {{ y }} $z$ <b>", "[bold]x :smile: {{ y }} $z$ <b>"),
        ("Frühling 春 👩\u200d🚀 \u0633\u200c\u0647", "Frühling 春 👩\u200d🚀 \u0633\u200c\u0647"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("two\nlines\r\tand a tab", r"two\nlines\r\tand a tab"),
        ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
        ("\u202etxt.exe\u202c \u2067x\u2069 \u200f\u061c", r"\u202etxt.exe\u202c \u2067x\u2069 \u200f\u061c"),
        ("\x00 \ud800 \ufffe \uffff \ufeff", r"\x00 \ud800 \ufffe \uffff \ufeff"),
        (None, "None"),
        (ConfigError("a\nb"), r"a\nb"),
    ],
)
def test_printable(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_nothing_that_is_obeyed_is_left() -> None:
    kept = [character for character in map(chr, range(0x110000)) if printable(character) == character]
    controls = [c for c in kept if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    overrides = [c for c in kept if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO")]
    assert (controls, overrides) == ([], [])
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_an_error_is_one_line() -> None:
    assert str(PipelineError("view \x1b[2J\nerror: all is well")) == r"view \x1b[2J\nerror: all is well"


def test_a_log_line_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logger("promptsales.test").info("%s: %d new columns: %s", "leads", 1, "x\nERROR forged\x1b[2J %s")
        logger("promptsales.test").info("100 %")
    assert caplog.messages == [r"leads: 1 new columns: x\nERROR forged\x1b[2J %s", "100 %"]


def test_fausts_formatter_shows_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    logger("promptsales.test").warning("%s is behind", "leads")
    (line,) = caplog.records
    assert ExtensionFormatter(fmt="%(message)s", stream=StringIO()).format(line) == "leads is behind"


def test_a_logged_traceback_is_printable(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("key (name)=(\x1b[2J)")
    except ValueError:
        logger("promptsales.test").critical("it cannot go on", exc_info=True)
    assert r"ValueError: key (name)=(\x1b[2J)" in caplog.text
    assert "\x1b" not in caplog.text


def test_only_one_module_writes_to_the_terminal_and_only_one_makes_loggers() -> None:
    sources = [*(ROOT / "promptsales").rglob("*.py"), *(ROOT / "streams").rglob("*.py")]
    writers = {
        str(path.relative_to(ROOT))
        for path in sources
        if re.search(
            r"(?<![.\w])print\(|\becho\(|console\.status\(|= Console\(|= logging\.getLogger", path.read_text("utf-8")
        )
    }
    # `promptsales dsn` prints a connection string unchanged, as programs read it; the settings have checked it
    assert writers == {"promptsales/cli/output.py", "promptsales/printable.py", "promptsales/cli/stack.py"}

"""A terminal gets names unchanged, and nothing that it would obey."""

import io
import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from rich.console import Console

from promptsales.cli import output, quarantine
from promptsales.cli.phases import Phases
from promptsales.feeds.manual_release import QuarantinedRow

# markup, an emoji's name, an escape sequence, a direction override, a second line, what UTF-8 cannot hold
NAME = "[/] [bold]x :smile: \x1b[2J \u202e \n \ud800"
SHOWN = r"[/] [bold]x :smile: \x1b[2J \u202e \n \ud800"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Redirect the output of a console that takes it for a terminal without colours."""
    written = io.StringIO()
    console = Console(file=written, width=100, force_terminal=True, no_color=True, color_system=None)
    monkeypatch.setattr(output, "console", console)
    return written


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(NAME, ["campaign", NAME], [[NAME, None], [1, ["one", NAME]]])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.strip("─ ")] == [
        SHOWN,
        f"campaign {SHOWN}",
        f"{SHOWN} -",
        "1 one",
        SHOWN,
    ]


def test_what_people_copy_is_not_wrapped(terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.console, "width", 80)
    key = "0195d3c0-7a1e-7cc3-98c4-dc0c0c07398f"
    seen = datetime(2026, 11, 20, 12, tzinfo=UTC)
    row = QuarantinedRow(4_711_000, "opportunities", key, ["created_after_updated"], seen, 3, True, False)
    quarantine.show_rows([row])
    assert {"4711000", key} <= set(terminal.getvalue().split())


def test_times_in_json_are_iso_8601(capsys: pytest.CaptureFixture[str]) -> None:
    age = timedelta(days=1, hours=2, seconds=3)
    output.print_json({"at": datetime(2026, 11, 20, 12, tzinfo=UTC), "day": date(2026, 11, 20), "age": age})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-11-20T12:00:00Z", "day": "2026-11-20", "age": "P1DT2H3S"}


def test_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_line(f"mart {NAME} skipped")
    output.show_error(NAME)
    assert capsys.readouterr() == (f"mart {SHOWN} skipped\n", f"error: {SHOWN}\n")


def test_json_is_raw_and_valid(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"name": NAME})
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out) == {"name": NAME}


def test_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_text("a: b\nc: \x1bd\n")
    assert capsys.readouterr().out == "a: b\nc: \\x1bd\n"


def test_what_is_being_done(terminal: io.StringIO) -> None:
    with output.working(NAME) as tell:
        tell(f"then {NAME}")
    assert "\x1b[2J" not in terminal.getvalue()
    assert "\u202e" not in terminal.getvalue()


def test_a_phase(terminal: io.StringIO) -> None:
    with Phases(output.console) as phases, phases.phase("[/] load") as say:
        say(NAME)
        phases._progress.refresh()
    assert re.search(rf"\[/\] load +0\.0 s +{re.escape(SHOWN)}\n", terminal.getvalue())
    assert "\x1b[2J" not in terminal.getvalue()


def test_a_terminal_that_is_not_utf_8() -> None:
    code = (
        "import sys, promptsales.cli.main as m, promptsales.errors as e\n"
        "def command_line(names): return lambda: m.show_line('Frühling')\n"
        "m.command_line = command_line\nm.main()\n"
    ).replace("m.show_line", "__import__('promptsales.cli.output').cli.output.show_line")
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, env={"PYTHONIOENCODING": "ascii"}
    )
    assert (result.returncode, result.stdout) == (0, b"Fr\\xfchling\n")

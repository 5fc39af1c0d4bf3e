"""The lines that phases print when the output is not a terminal."""

import io
import re

import pytest
from rich.console import Console

from promptsales.cli.phases import Phases


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def phases(written: io.StringIO) -> Phases:
    return Phases(Console(file=written, width=100))


def test_done(phases: Phases, written: io.StringIO) -> None:
    with phases, phases.phase("provision") as say:
        say("promptcrm")
        say("3 changes")
    assert re.fullmatch(r"  provision +0\.0 s  3 changes\n", written.getvalue())


def test_failed(phases: Phases, written: io.StringIO) -> None:
    with pytest.raises(KeyError), phases, phases.phase("provision"):
        raise KeyError
    assert written.getvalue() == ""


def test_one_in_another(phases: Phases, written: io.StringIO) -> None:
    with phases, phases.phase("outer"), phases.phase("inner"):
        pass
    assert [line.split()[0] for line in written.getvalue().splitlines()] == ["inner", "outer"]

"""Show the figures, and write them into bench/RESULTS.md with a picture."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench.peers import picture
from bench.peers.figures import Runs, markdown, rows
from bench.peers.methods import METHODS
from promptsales.cli.output import console, show_table

PAGE = Path(__file__).parents[1] / "RESULTS.md"
PICTURE = Path(__file__).parents[1] / "peers.svg"
BEGIN, END = "<!-- bench.peers writes from here -->", "<!-- to here -->"


class Report(NamedTuple):
    """The runs of each case, and why methods have no figures."""

    runs: Runs
    failures: dict[str, str]


def show(report: Report) -> None:
    """Print a table per case, then the failures."""
    for case, runs in report.runs.items():
        show_table(case, ("method", "runs", "seconds", "x floor", "CPU s", "MiB"), rows(runs))
    for name, reason in report.failures.items():
        console.print(f"{name} has no figures: {reason}")


def write(report: Report) -> None:
    """Write the figures between the marks of the page, and draw the picture."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replaced(text, section(report, machine(), datetime.now(UTC))), encoding="utf-8")
    PICTURE.write_text(picture.draw(report.runs), encoding="utf-8")


def replaced(page: str, text: str) -> str:
    """Return the page with another text between its marks.

    Raises:
        ValueError: when the page does not have both marks once.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} does not have both marks: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


def section(report: Report, hardware: str, now: datetime) -> str:
    """Return the text that the command writes."""
    tables = "\n".join(markdown(case, runs) for case, runs in report.runs.items())
    failures = "".join(
        f"- {METHODS[name].title} has no figures. {reason[0].upper()}{reason[1:]}.\n"
        for name, reason in report.failures.items()
    )
    without = f"\nWithout figures:\n\n{failures}" if failures else ""
    return (
        f"Measured on {now:%Y-%m-%d} ({hardware}). Seconds are medians, with the least and the most in "
        f"brackets.\n\n![Seconds of each load](peers.svg)\n\n{tables}{without}"
    )


def machine() -> str:
    """Return the processor, its cores and the memory of this machine."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*: (.+)$", text, re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return f"{os.cpu_count()} cores, {model[1].strip() if model else 'unknown processor'}, {memory:.0f} GiB"

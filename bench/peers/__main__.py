"""Compare our load of leads with dlt, sling and ingestr: same rows, same machine, in turns.

Each tool is installed by name and pinned version, with hashes, into an environment of its own beside the state folder.
Each runs as its own documentation says, incremental on updated_at and merging on id, and once more with hashes of the
personal columns where it can. After each run, one query on each side compares the target with the source: rows, newest
change, every shared column of every row, and the personal columns as they must be. A method whose target differs has
no figures, and the report says why.
"""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from bench.load import enlarge
from bench.peers.environments import build
from bench.peers.measure import Measurement
from bench.peers.methods import DEFAULT, METHODS
from bench.peers.report import Report, show, write
from local.stack import down, up
from promptsales.cli.output import console
from promptsales.errors import PipelineError
from promptsales.provision import provision
from promptsales.settings import Settings, default_state, settings

# set before anything reads the settings; child processes inherit it
os.environ.pop("PROMPTSALES_SETTINGS", None)
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-bench")
os.environ.setdefault("PROMPTSALES_PORT_BASE", "24000")

# what a load does not need: without it the machine is quieter
OTHERS = ("connect", "airflow", "stream")


def main() -> int:
    """Install the tools, measure, show the figures, and write them if asked; return the exit code."""
    options = parse_arguments()
    signal.signal(signal.SIGTERM, stop)
    folder = Path(f"{settings().state}-peers")
    try:
        measurement = measure(options, folder, console.print)
    except PipelineError as error:
        print(f"bench-peers: {error}", file=sys.stderr)
        return 1
    report = Report(measurement.runs, measurement.failures)
    show(report)
    if options.write:
        write(report)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.peers")
    parser.add_argument("--rows", type=int, default=1_000_000, help="leads in the table (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each delta (default 3)")
    parser.add_argument("--only", nargs="+", choices=METHODS, default=DEFAULT, metavar="NAME",
                        help=f"methods to measure: {', '.join(METHODS)} (default: all but dlt-rows)")  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write the section of bench/RESULTS.md and its picture")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path, tell: Callable[[str], None]) -> Measurement:
    """Measure everything on an empty stack, which is removed at the end; the environments are kept."""
    here, homes = settings(), {}
    for tool in dict.fromkeys(METHODS[name].tool for name in options.only if METHODS[name].tool):
        tell(f"install {tool}")
        homes[tool] = build(tool, folder)
    # what the tools remember of an earlier run is about tables that are gone
    shutil.rmtree(folder / "work", ignore_errors=True)
    with ExitStack() as connections:
        down(here, remove=True)
        connections.callback(down, here, remove=True)
        start(here, tell)
        provision(here)
        enlarge(here)
        down(here)
        start(here, tell)
        measurement = Measurement(here, homes, tuple(options.only), folder / "work", tell, connections)
        try:
            measurement.first_load(options.rows)
            for every in (10, 100):
                measurement.delta(options.rows, every, options.rounds)
        except KeyboardInterrupt:
            tell("stopped early; the report has what was measured until now")
        return measurement


def stop(number: int, frame: FrameType | None) -> None:
    """End the measurement as Ctrl-C does; `make` and `timeout` may each send a signal, and the second is ignored."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def start(here: Settings, tell: Callable[[str], None]) -> None:
    """Start the servers."""
    tell("start the servers")
    up(here, lambda name, state, seconds: None, without=OTHERS)


if __name__ == "__main__":
    sys.exit(main())

"""Break the stream again and again on a stack of its own: ``make soak HOURS=8``. Exit code 1 when anything differs.

The applications write, correct and delete; every half minute one part is killed, or the broker is frozen. Then the
applications pause, and every row, minute, day, total and alert of the warehouse is compared with the sources. The
stream has caught up with a fault once everything written before the fault's end is in the warehouse while more is
written, measured to about two seconds. Each fault prints one line.
"""

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from local.stack import down, services, up
from local.supervisor import Supervisor
from promptsales.cli.output import console, show_table
from promptsales.provision import provision
from promptsales.settings import Settings, default_state, settings
from promptsales.stream import connectors
from tests.support.campaigning import CARELESS, start_campaigns
from tests.support.faults import PARTS, frozen, kill
from tests.support.selling import SELLING, start_selling
from tests.support.streaming import is_followed, settle, wait
from tests.support.wholeness import amiss
from tests.support.working import Working

# must be set before anything reads the settings
os.environ.pop("PROMPTSALES_SETTINGS", None)
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-soak")
os.environ.setdefault("PROMPTSALES_PORT_BASE", "24200")

EVERY_S, BEFORE_S, QUIET_S = 30.0, 2.0, 5.0
FROZEN_S = (5.0, 45.0)
PATIENCE_S = 600
# seconds between two transactions of an application
PAUSE_S = 0.02
# services that the stream does not need
RESTING = ("airflow", "mongo")


class Round(NamedTuple):
    """A fault: its name, seconds until the stream had caught up, commits in the meantime, differences afterwards."""

    fault: str
    caught_up_s: float
    commits: int
    amiss: list[str]


def main() -> None:
    """Start a stack, break it for the given time and remove it; keep its state when something differed."""
    options = parse_arguments()
    here, dice = settings(), random.Random(options.seed)  # noqa: S311 - faults, not secrets
    try:
        prepare(here)
        console.print(f"seed {options.seed}, until {datetime.now(UTC) + timedelta(hours=options.hours):%H:%M} UTC")
        rounds = []
        for result in soak(here, dice, options.hours * 3600):
            rounds.append(result)
            print_round(result)
    finally:
        down(here)
    print_summary(rounds)
    if any(result.amiss for result in rounds):
        sys.exit(f"rows or figures differ from the sources; state and logs are kept in {here.state}")
    down(here, remove=True)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="hours to run (default 1)")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.randrange(10**6),  # noqa: S311 - faults, not secrets
        help="seed of the order of faults (default random)",
    )
    return parser.parse_args()


def prepare(here: Settings) -> None:
    """Start an empty stack, provisioned and followed, without services that the stream does not need."""
    with console.status("") as status:
        down(here, remove=True)
        up(here, lambda name, state, seconds: status.update(f"start the stack: {name} {state}"))
        provision(here, status.update)
    resting = [program.name for service in services(here) if service.name in RESTING for program in service.programs()]
    Supervisor(here.state).stop(set(resting), patience_s=60)
    start_campaigns(here)
    start_selling(here)
    connectors.apply(here)
    wait(lambda: is_followed(here))


def soak(here: Settings, dice: random.Random, seconds: float) -> Iterator[Round]:
    """Yield the result of each round."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        with Working(here, CARELESS, PAUSE_S) as ads, Working(here, SELLING, PAUSE_S) as crm:
            time.sleep(BEFORE_S)
            broken_at = time.monotonic()
            fault = strike(here, dice)
            settle(here, PATIENCE_S)
            caught_up = time.monotonic() - broken_at
            time.sleep(max(0.0, EVERY_S - QUIET_S - (time.monotonic() - began)))
        settle(here, PATIENCE_S)
        yield Round(fault, caught_up, ads.commits + crm.commits, amiss(here))
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))


def strike(here: Settings, dice: random.Random) -> str:
    """Cause one fault, and return its name."""
    name = dice.choice((*PARTS, "frozen"))
    if name != "frozen":
        kill(here, name)
        return f"kill -9 {name}"
    seconds = dice.uniform(*FROZEN_S)
    with frozen(here, "kafka"):
        time.sleep(seconds)
    return "kafka frozen"


def print_round(result: Round) -> None:
    """Print a line for a round, and one for each difference."""
    verdict = "differs" if result.amiss else "equal"
    console.print(
        f"{datetime.now(UTC):%H:%M:%S}  {result.fault:<18} caught up after {result.caught_up_s:5.1f} s, "
        f"{result.commits:5} commits, {verdict}",
        highlight=False,
    )
    for line in result.amiss:
        console.print(f"          {line}", highlight=False, soft_wrap=True)


def print_summary(rounds: list[Round]) -> None:
    """Print how often each fault occurred, and how long the stream took to catch up."""
    faults: dict[str, list[float]] = {}
    for result in rounds:
        faults.setdefault(result.fault, []).append(result.caught_up_s)
    show_table(
        "catch-up time, seconds from the start of the fault",
        ("fault", "times", "median", "longest"),
        (
            (name, len(times), f"{statistics.median(times):.1f}", f"{max(times):.1f}")
            for name, times in sorted(faults.items())
        ),
    )
    commits, wrong = sum(result.commits for result in rounds), sum(bool(result.amiss) for result in rounds)
    console.print(f"{len(rounds)} faults, {commits} commits, {wrong} comparisons with a difference")


if __name__ == "__main__":
    main()

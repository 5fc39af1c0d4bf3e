"""Soak test on a separate stack: ``make soak HOURS=8``. One line per fault; exit code 1 when anything differs.

The applications write, correct and delete rows. Every half minute one service is killed or the broker is frozen. Then
writing stops, and every row, minute, day, total and alert of the warehouse is compared with the sources. The catch-up
time ends when all rows written before the end of the fault are in the warehouse, measured to about two seconds.
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

# set before anything reads the settings
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-soak")
os.environ.setdefault("PROMPTSALES_PORT_BASE", "24200")

EVERY_S, BEFORE_S, QUIET_S = 30.0, 2.0, 5.0
FROZEN_S = (5.0, 45.0)
PATIENCE_S = 600
# pause between two transactions of an application
PAUSE_S = 0.02
# services that the stream does not need
RESTING = ("airflow", "mongo")


class Round(NamedTuple):
    """One fault: its name, the catch-up time, the commits meanwhile, and the differences found afterwards."""

    fault: str
    caught_up_s: float
    commits: int
    amiss: list[str]


def main() -> None:
    """Start a stack, cause faults for the given time, stop it, and remove it if nothing differed."""
    options = parse_arguments()
    here, dice = settings(), random.Random(options.seed)  # noqa: S311 - faults, not secrets
    try:
        prepare(here)
        console.print(f"seed {options.seed}, until {datetime.now(UTC) + timedelta(hours=options.hours):%H:%M} UTC")
        rounds = []
        for finished in soak(here, dice, options.hours * 3600):
            rounds.append(finished)
            show_round(finished)
    finally:
        down(here)
    show_summary(rounds)
    if any(finished.amiss for finished in rounds):
        sys.exit(f"rows or figures differ: see the data and logs in {here.state}")
    down(here, remove=True)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="how long (default 1)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="order of the faults")  # noqa: S311
    return parser.parse_args()


def prepare(here: Settings) -> None:
    """Start an empty stack with provisioned schemas and running connectors, and stop the services it does not need."""
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
    """Cause one fault after the other, and yield the result of each."""
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
    """Cause a random fault, and return its name."""
    name = dice.choice((*PARTS, "frozen"))
    if name != "frozen":
        kill(here, name)
        return f"kill -9 {name}"
    seconds = dice.uniform(*FROZEN_S)
    with frozen(here, "kafka"):
        time.sleep(seconds)
    return "kafka frozen"


def show_round(finished: Round) -> None:
    """Print a line for a round, and one for each difference."""
    verdict = "differs" if finished.amiss else "equal"
    console.print(
        f"{datetime.now(UTC):%H:%M:%S}  {finished.fault:<18} caught up after {finished.caught_up_s:5.1f} s, "
        f"{finished.commits:5} commits, {verdict}",
        highlight=False,
    )
    for line in finished.amiss:
        console.print(f"          {line}", highlight=False, soft_wrap=True)


def show_summary(rounds: list[Round]) -> None:
    """Print how often each fault was caused, and its catch-up times."""
    faults: dict[str, list[float]] = {}
    for finished in rounds:
        faults.setdefault(finished.fault, []).append(finished.caught_up_s)
    show_table(
        "catch-up time, seconds from the start of the fault",
        ("fault", "times", "median", "longest"),
        (
            (name, len(seconds), f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}")
            for name, seconds in sorted(faults.items())
        ),
    )
    commits = sum(finished.commits for finished in rounds)
    different = sum(bool(finished.amiss) for finished in rounds)
    console.print(f"{len(rounds)} faults, {commits} commits, {different} comparisons with a difference")


if __name__ == "__main__":
    main()

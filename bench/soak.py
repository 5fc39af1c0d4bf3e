"""Faults without end on a stack of its own: ``make soak HOURS=8``. Each is one line; exit code 1 when anything differs.

The applications write, correct and delete; every half minute one part is killed, or the broker stands still. Then they
rest, and every row, minute, day, total and alert of the warehouse is compared with the sources. Caught up is a fault
once all that was written before its end is in the warehouse, while more is written; known to about two seconds.
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

# before anything reads the settings
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-soak")
os.environ.setdefault("PROMPTSALES_PORT_BASE", "24200")

EVERY_S, BEFORE_S, QUIET_S = 30.0, 2.0, 5.0
FROZEN_S = (5.0, 45.0)
PATIENCE_S = 600
# transactions of each application: a pause between two
PAUSE_S = 0.02
# what the stream does not need
RESTING = ("airflow", "mongo")


class Round(NamedTuple):
    """A fault: which, how long until all was caught up, what the applications wrote meanwhile, what differed then."""

    fault: str
    caught_up_s: float
    commits: int
    amiss: list[str]


def main() -> None:
    """Bring up a stack, break it as long as asked, take it down; where something differed its state stays."""
    options = arguments()
    here, dice = settings(), random.Random(options.seed)  # noqa: S311 - faults, not secrets
    try:
        prepare(here)
        console.print(f"faults by seed {options.seed} until {datetime.now(UTC) + timedelta(hours=options.hours):%H:%M}")
        rounds = []
        for one in soak(here, dice, options.hours * 3600):
            rounds.append(one)
            tell(one)
    finally:
        down(here)
    summary(rounds)
    if any(one.amiss for one in rounds):
        sys.exit(f"rows or figures differ; state and logs stay in {here.state}")
    down(here, remove=True)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="how long (default 1)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="order of the faults")  # noqa: S311
    return parser.parse_args()


def prepare(here: Settings) -> None:
    """An empty stack, provisioned and followed, without what only needs the machine."""
    with console.status("") as status:
        down(here, remove=True)
        up(here, lambda name, state, seconds: status.update(f"start the stack: {name} {state}"))
        provision(here, status.update)
    resting = [program.name for one in services(here) if one.name in RESTING for program in one.programs()]
    Supervisor(here.state).stop(set(resting), patience_s=60)
    start_campaigns(here)
    start_selling(here)
    connectors.apply(here)
    wait(lambda: is_followed(here))


def soak(here: Settings, dice: random.Random, seconds: float) -> Iterator[Round]:
    """Round after round."""
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
    """One fault; its name."""
    name = dice.choice((*PARTS, "frozen"))
    if name != "frozen":
        kill(here, name)
        return f"kill -9 {name}"
    seconds = dice.uniform(*FROZEN_S)
    with frozen(here, "kafka"):
        time.sleep(seconds)
    return "kafka frozen"


def tell(one: Round) -> None:
    """A line on a round, and one on everything that differs."""
    verdict = "differs" if one.amiss else "equal"
    console.print(
        f"{datetime.now(UTC):%H:%M:%S}  {one.fault:<18} caught up after {one.caught_up_s:5.1f} s, "
        f"{one.commits:5} commits, {verdict}",
        highlight=False,
    )
    for line in one.amiss:
        console.print(f"          {line}", highlight=False, soft_wrap=True)


def summary(rounds: list[Round]) -> None:
    """How often each fault struck, and how long it took to catch up."""
    faults: dict[str, list[float]] = {}
    for one in rounds:
        faults.setdefault(one.fault, []).append(one.caught_up_s)
    show_table(
        "caught up, seconds after the fault began",
        ("fault", "times", "median", "longest"),
        (
            (name, len(found), f"{statistics.median(found):.1f}", f"{max(found):.1f}")
            for name, found in sorted(faults.items())
        ),
    )
    commits, wrong = sum(one.commits for one in rounds), sum(bool(one.amiss) for one in rounds)
    console.print(f"{len(rounds)} faults, {commits} commits, {wrong} comparisons with a difference")


if __name__ == "__main__":
    main()

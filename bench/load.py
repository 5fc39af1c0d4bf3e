"""How much a load costs above the floor: psql's COPY into COPY and one ON CONFLICT, unhashed, unchecked, uncounted.

Floor and load take turns over the same changed rows, so that a busy machine is busy for both; what is reported is the
ratio of their medians. A load hashes at the source, is checked by Great Expectations, counted, and moves its watermark
in the transaction that publishes. The import of Great Expectations is shown apart: it is paid once a process.
"""

import argparse
import os
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import psycopg

from bench.hourly import hourly
from bench.leads import Leads
from bench.measured import Case, Timing
from bench.prompts import prompts
from local.stack import down, up
from promptsales.cli.output import console, show_table
from promptsales.provision import provision
from promptsales.settings import Settings, default_state, settings


class Found(NamedTuple):
    """All that was measured."""

    leads: list[Case]
    prompts: dict[str, Timing]
    hourly: dict[str, float]


# before anything reads the settings; the child processes inherit it
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-bench")
os.environ.setdefault("PROMPTSALES_PORT_BASE", "24000")


def main() -> None:
    """Bring up a stack of its own, measure, print, and take it down again."""
    options = arguments()
    found = measure(options.rows, options.rounds)
    show_leads(found.leads)
    show_prompts(found.prompts)
    show_table("every feed through Airflow", ("hourly run", "s"), ((n, f"{s:.1f}") for n, s in found.hourly.items()))
    console.print(f"{os.cpu_count()} cores, rounds of a delta: {options.rounds}")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="leads in the table (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each delta (default 5)")
    return parser.parse_args()


def measure(rows: int, rounds: int) -> Found:
    """Everything, on an empty stack that is removed at the end."""
    here = settings()
    with console.status("") as status, ExitStack() as connections:
        down(here, remove=True)
        connections.callback(down, here, remove=True)
        start(here, status.update)
        enlarge(here)
        down(here)
        start(here, status.update)
        provision(here, status.update)
        leads = Leads(here, status.update, connections)
        cases = leads.run(rows, rounds)
        documents = prompts(here, rows // 5, status.update)
        changes = {"nothing new": lambda: None, f"{rows // 10:,} leads changed": lambda: leads.change(10)}
        return Found(cases, documents, hourly(here, changes, status.update))


def start(here: Settings, tell: Callable[[str], None]) -> None:
    """Bring the stack up."""
    up(here, lambda name, state, seconds: tell(f"start the stack: {name} {state}"))


def enlarge(here: Settings) -> None:
    """Let both servers keep their tables in memory, and write no checkpoint in the middle of a load."""
    for name in ("sources_admin", "warehouse_admin"):
        with psycopg.connect(here.address(name), autocommit=True) as server:
            for setting in (b"shared_buffers = '1GB'", b"max_wal_size = '8GB'"):
                server.execute(b"alter system set " + setting)


def show_leads(cases: list[Case]) -> None:
    """A row a case; then what the history costs."""
    columns = ("leads", "floor s", "load s", "load / floor", "import s", "extract s", "check s", "publish s", "MiB")
    show_table("a load beside the floor: medians; the import is not in the load", columns, map(row, cases))
    _, sparse, dense, _ = cases
    growth = dense.load_s / sparse.load_s
    console.print(
        f"the same delta with 20 times the history: load {growth:.2f}x, floor {dense.floor_s / sparse.floor_s:.2f}x"
    )


def row(case: Case) -> tuple[str, ...]:
    """The cells of a case."""
    steps = (statistics.median(one.steps[step] for one in case.loads) for step in ("extract", "check", "publish"))
    imported = statistics.median(one.imported for one in case.loads)
    memory = max(one.above_imports_mib for one in case.loads)
    seconds = (case.floor_s, case.load_s, case.ratio, imported, *steps)
    return (case.name, *(f"{value:.2f}" for value in seconds), f"{memory:.0f}")


def show_prompts(found: dict[str, Timing]) -> None:
    """Documents a second, from the collection to staging."""
    show_table(
        "documents to staging, through Kafka",
        ("read by", "documents", "extract s", "documents/s", "MiB"),
        (
            (
                way,
                f"{t.extracted:,}",
                f"{t.steps['extract']:.2f}",
                f"{t.extracted / t.steps['extract']:,.0f}",
                f"{t.above_imports_mib:.0f}",
            )
            for way, t in found.items()
        ),
    )


if __name__ == "__main__":
    main()

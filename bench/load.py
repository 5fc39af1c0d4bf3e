"""Compare a load with the floor: a bare psql COPY and upsert, without hashing, checks and counts.

Floor and load alternate over the same changed rows, so that other work on the machine affects both; the result is the
ratio of their medians. A load hashes at the source, runs Great Expectations, counts rows, and moves the watermark in
the transaction that publishes. The import of Great Expectations is shown separately, because a process pays it once.
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


class LoadFigures(NamedTuple):
    """All results."""

    leads: list[Case]
    prompts: dict[str, Timing]
    hourly: dict[str, float]


# set before anything reads the settings; child processes inherit it
os.environ.pop("PROMPTSALES_SETTINGS", None)
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-bench")
os.environ.setdefault("PROMPTSALES_PORT_BASE", "24000")


def main() -> None:
    """Start a separate stack, measure, print the results, and remove the stack."""
    options = parse_arguments()
    figures = measure(options.rows, options.rounds)
    show_leads(figures.leads)
    show_prompts(figures.prompts)
    rows = ((name, f"{seconds:.1f}") for name, seconds in figures.hourly.items())
    show_table("all feeds through Airflow", ("hourly run", "s"), rows)
    console.print(f"{os.cpu_count()} cores, {options.rounds} rounds per delta")


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="leads in the table (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each delta (default 5)")
    return parser.parse_args()


def measure(rows: int, rounds: int) -> LoadFigures:
    """Measure everything on an empty stack, which is removed at the end."""
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
        return LoadFigures(cases, documents, hourly(here, changes, status.update))


def start(here: Settings, tell: Callable[[str], None]) -> None:
    """Start the stack."""
    up(here, lambda name, state, seconds: tell(f"start the stack: {name} {state}"))


def enlarge(here: Settings) -> None:
    """Configure both servers to keep their tables in memory and to write no checkpoint during a load."""
    for name in ("sources_admin", "warehouse_admin"):
        with psycopg.connect(here.address(name), autocommit=True) as server:
            for setting in (b"shared_buffers = '1GB'", b"max_wal_size = '8GB'"):
                server.execute(b"alter system set " + setting)


def show_leads(cases: list[Case]) -> None:
    """Print a row per case, then the effect of a longer history."""
    columns = ("leads", "floor s", "load s", "load / floor", "import s", "extract s", "check s", "publish s", "MiB")
    show_table("load and floor, medians; load without import", columns, map(row, cases))
    _, sparse, dense, _ = cases
    growth = dense.load_s / sparse.load_s
    console.print(
        f"the same delta with 20 times the history: load {growth:.2f}x, floor {dense.floor_s / sparse.floor_s:.2f}x"
    )


def row(case: Case) -> tuple[str, ...]:
    """Return the cells of a case."""
    steps = (statistics.median(load.steps[step] for load in case.loads) for step in ("extract", "check", "publish"))
    imported = statistics.median(load.imported for load in case.loads)
    memory = max(load.above_imports_mib for load in case.loads)
    seconds = (case.floor_s, case.load_s, case.ratio, imported, *steps)
    return (case.name, *(f"{value:.2f}" for value in seconds), f"{memory:.0f}")


def show_prompts(timings: dict[str, Timing]) -> None:
    """Print the documents per second from the collection to staging."""
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
            for way, t in timings.items()
        ),
    )


if __name__ == "__main__":
    main()

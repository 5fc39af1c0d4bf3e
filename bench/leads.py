"""Compare loads of leads with the floor: a bare psql COPY and upsert, without hashing, checks and counts."""

import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench import measured
from bench.measured import Case
from local.psql import psql
from promptsales.settings import Settings

SQL = Path(__file__).parent
# wait this long after a change: the next load reads rows younger than the frontier's margin again
MARGIN_S = 6


class Leads:
    """A source with leads, the feed that loads them, and the floor to compare with."""

    def __init__(self, here: Settings, tell: Callable[[str], None], connections: ExitStack) -> None:
        self.here, self.tell = here, tell
        self.crm, self.warehouse, self.sources = (
            connections.enter_context(psycopg.connect(here.address(name), autocommit=True))
            for name in ("promptcrm", "warehouse_admin", "sources_admin")
        )
        self.warehouse.execute((SQL / "floor_tables.sql").read_bytes())

    def run(self, rows: int, rounds: int) -> list[Case]:
        """Return all cases; one delta runs on a twentieth of the rows, to show its cost with little history."""
        self.fill(rows // 20)
        self.first_load("first load of a twentieth")
        sparse = self.delta(f"{rows // 100:,} changed of {rows // 20:,}", 5, rounds)
        self.fill(rows)
        first = self.first_load(f"first load of {rows:,}")
        hundredth, tenth = (self.delta(f"{rows // every:,} changed of {rows:,}", every, rounds) for every in (100, 10))
        return [first, sparse, hundredth, tenth]

    def fill(self, rows: int) -> None:
        """Create this many leads, and empty the warehouse."""
        self.tell(f"make {rows:,} leads")
        self.crm.execute("truncate crm.leads cascade")
        self.crm.execute((SQL / "fill_leads.sql").read_bytes(), {"rows": rows})
        self.crm.execute("vacuum analyze crm.leads")
        self.warehouse.execute((SQL / "empty.sql").read_bytes())
        time.sleep(MARGIN_S)

    def first_load(self, name: str) -> Case:
        """Load all leads into empty tables, once with each method."""
        self.tell(name)
        self.settle()
        floor = self.floor("-infinity")
        self.settle()
        return Case(name, [floor], [measured.load("leads")])

    def delta(self, name: str, every: int, rounds: int) -> Case:
        """Change one lead in ``every``, then run floor and load, in alternating order."""
        case = Case(name, [], [])
        for number in range(rounds):
            self.tell(f"{name}, round {number + 1} of {rounds}")
            since = self.change(every)
            for turn in ("floor", "load") if number % 2 else ("load", "floor"):
                self.settle()
                if turn == "floor":
                    case.floor.append(self.floor(since))
                else:
                    case.loads.append(measured.load("leads"))
        return case

    def change(self, every: int) -> str:
        """Update one lead in ``every``; return the time before the update."""
        (since,) = self.crm.execute("select clock_timestamp()::text").fetchone() or ("",)
        self.crm.execute("update crm.leads set score = (score + 1) %% 100 where mod(utm_term::int, %s) = 0", [every])
        time.sleep(MARGIN_S)
        return str(since)

    def settle(self) -> None:
        """Vacuum the targets and write checkpoints, so that both methods start equal."""
        self.warehouse.execute("vacuum (analyze) core.leads, core.leads_history, floor.leads, ops.touched")
        self.warehouse.execute("checkpoint")
        self.sources.execute("checkpoint")

    def floor(self, since: str) -> float:
        """Copy the changed rows with psql and upsert them with one statement; return the seconds."""
        out, reader = psql(self.here, "promptcrm", ["-qXv", f"since={since}", "-f", str(SQL / "floor_out.sql")])
        into, writer = psql(self.here, "warehouse_admin", ["-qX1", "-f", str(SQL / "floor_in.sql")])
        began = time.perf_counter()
        with subprocess.Popen(out, env=reader, stdout=subprocess.PIPE) as source:
            subprocess.run(into, env=writer, stdin=source.stdout, check=True)
        return time.perf_counter() - began

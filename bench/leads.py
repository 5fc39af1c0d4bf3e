"""Leads beside the floor: psql's COPY into COPY and one ON CONFLICT, unhashed, unchecked, uncounted."""

import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg

from bench import measured
from bench.measured import Case
from local.postgres import server_home
from promptsales.settings import Settings

SQL = Path(__file__).parent
# rows younger than the frontier's margin would be read again by the next load
MARGIN_S = 6


class Leads:
    """A source with leads, the feed that loads them, and the floor beside it."""

    def __init__(self, here: Settings, tell: Callable[[str], None], connections: ExitStack) -> None:
        self.here, self.tell = here, tell
        self.crm, self.warehouse, self.sources = (
            connections.enter_context(psycopg.connect(here.address(name), autocommit=True))
            for name in ("promptcrm", "warehouse_admin", "sources_admin")
        )
        self.psql = str(server_home(here.state) / "bin" / "psql")
        self.warehouse.execute((SQL / "floor_tables.sql").read_bytes())

    def run(self, rows: int, rounds: int) -> list[Case]:
        """All cases; a table of a twentieth comes first, for what a delta costs where there is little history."""
        self.fill(rows // 20)
        self.first_load("first load of a twentieth")
        sparse = self.delta(f"{rows // 100:,} changed of {rows // 20:,}", 5, rounds)
        self.fill(rows)
        first = self.first_load(f"first load of {rows:,}")
        one, ten = (self.delta(f"{rows // every:,} changed of {rows:,}", every, rounds) for every in (100, 10))
        return [first, sparse, one, ten]

    def fill(self, rows: int) -> None:
        """So many leads, and an empty warehouse."""
        self.tell(f"make {rows:,} leads")
        self.crm.execute("truncate crm.leads cascade")
        self.crm.execute((SQL / "fill_leads.sql").read_bytes(), {"rows": rows})
        self.crm.execute("vacuum analyze crm.leads")
        self.warehouse.execute((SQL / "empty.sql").read_bytes())
        time.sleep(MARGIN_S)

    def first_load(self, name: str) -> Case:
        """Everything into empty tables, once each."""
        self.tell(name)
        self.settle()
        floor = self.floor("-infinity")
        self.settle()
        return Case(name, [floor], [measured.load("leads")])

    def delta(self, name: str, every: int, rounds: int) -> Case:
        """Change every so manyth lead, then floor and load in turn, the other one first each time."""
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
        """Touch every so manyth lead; returns since when."""
        (since,) = self.crm.execute("select clock_timestamp()::text").fetchone() or ("",)
        self.crm.execute("update crm.leads set score = (score + 1) %% 100 where mod(utm_term::int, %s) = 0", [every])
        time.sleep(MARGIN_S)
        return str(since)

    def settle(self) -> None:
        """The same start for both: no dead rows in the targets, nothing left to be written."""
        self.warehouse.execute("vacuum (analyze) core.leads, core.leads_history, floor.leads, ops.touched")
        self.warehouse.execute("checkpoint")
        self.sources.execute("checkpoint")

    def floor(self, since: str) -> float:
        """Copy what changed by psql, unhashed, and merge it by one statement; returns seconds."""
        out = [self.psql, self.here.address("promptcrm"), "-qXv", f"since={since}", "-f", str(SQL / "floor_out.sql")]
        into = [self.psql, self.here.address("warehouse_admin"), "-qX1", "-f", str(SQL / "floor_in.sql")]
        began = time.perf_counter()
        with subprocess.Popen(out, stdout=subprocess.PIPE) as source:
            subprocess.run(into, stdin=source.stdout, check=True)
        return time.perf_counter() - began

"""Run every method in turns over the same changes, and check each target after each run."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.leads import Leads
from bench.peers import verify
from bench.peers.figures import Runs
from bench.peers.methods import METHODS, Hashing, Method, command, environment
from bench.peers.process import ToolError, Usage, run
from promptsales.errors import TerminalError
from promptsales.settings import ROOT, Settings

SOURCE = Path(__file__).parent / "source.sql"


class Measurement:
    """A source with leads, and the methods that load them; a method that fails once is not run again."""

    def __init__(
        self, here: Settings, homes: dict[str, Path], names: tuple[str, ...], folder: Path,
        tell: Callable[[str], None], connections: ExitStack,
    ) -> None:  # fmt: skip
        self.here, self.homes, self.folder, self.tell = here, homes, folder, tell
        self.methods = [METHODS[name] for name in names]
        self.key = secrets.token_hex(16)
        self.leads = Leads(here, tell, connections)
        source = make_conninfo(here.address("sources_admin"), dbname="promptcrm")
        self.source = connections.enter_context(psycopg.connect(source, autocommit=True))
        self.source.execute(SOURCE.read_bytes())
        self.runs: Runs = {}
        self.failures: dict[str, str] = {}
        self._wanted: dict[Hashing, verify.Digest] = {}

    def first_load(self, rows: int) -> None:
        """Create the leads, and load them into empty targets, once with each method."""
        self.leads.fill(rows)
        self._wanted.clear()
        self._round(f"first load of {rows:,}", "-infinity", self.methods)

    def delta(self, rows: int, every: int, rounds: int) -> None:
        """Change one lead in ``every`` and load the change with each method, in another order each round."""
        for number in range(rounds):
            since = self.leads.change(every)
            self._wanted.clear()
            turn = number % len(self.methods)
            case = f"{rows // every:,} changed of {rows:,}"
            self._round(case, since, [*self.methods[turn:], *self.methods[:turn]], f", round {number + 1} of {rounds}")

    def _round(self, case: str, since: str, methods: list[Method], which: str = "") -> None:
        for method in methods:
            if method.name in self.failures:
                continue
            self.tell(f"{case}{which}: {method.name}")
            try:
                usage = self._measure(method, since)
                self._check(method)
            except ToolError as error:
                self.failures[method.name] = f"{case}: {error}"
                self.tell(f"{method.name} is left out from here on: {error}")
                continue
            self.runs.setdefault(case, {}).setdefault(method.name, []).append(usage)
            self.tell(f"{case}{which}: {method.name} {usage.wall_s:.2f} s, the target equals the source")

    def _measure(self, method: Method, since: str) -> Usage:
        newest = "" if since == "-infinity" else self._settle(method)
        if method.name == "floor":
            return Usage(self.leads.floor(since), 0, 0)
        folder = ROOT if not method.tool else self.folder
        home = self.homes.get(method.tool, Path())
        environ = environment(method, *self._urls(), self.key, self.folder)
        return run(method.title, command(method, home, newest), environ, folder)

    def _settle(self, method: Method) -> str:
        """Vacuum a method's target and write checkpoints; return the newest change in the target."""
        warehouse = self.leads.warehouse
        warehouse.execute(f"vacuum (analyze) {method.tables}".encode())
        warehouse.execute("checkpoint")
        self.leads.sources.execute("checkpoint")
        return verify.newest(warehouse, method)

    def _check(self, method: Method) -> None:
        if method.hashing not in self._wanted:
            self._wanted[method.hashing] = verify.expected(self.source, method.hashing, self.key)
        if difference := verify.difference(self.leads.warehouse, method, self._wanted[method.hashing]):
            error = ToolError(f"{method.title} ended with exit code 0, but {difference}")
            if method.tool:
                raise error
            raise TerminalError(str(error))

    def _urls(self) -> tuple[str, str]:
        source, target = self.here.address("sources_admin"), self.here.address("warehouse_admin")
        return url(source, "promptcrm"), url(target, "warehouse")


def url(address: str, database: str) -> str:
    """Return an address as a URL that drivers of Go, Rust and Python understand."""
    parts = conninfo_to_dict(address)
    password = quote(str(parts["password"]), safe="")
    return f"postgresql://{parts['user']}:{password}@{parts['host']}:{parts['port']}/{database}?sslmode=disable"

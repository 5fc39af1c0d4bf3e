"""Every table of the warehouse as its contract describes it, with its layer, DAG, inputs and outputs."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from promptsales.errors import ConfigError
from promptsales.monitoring.findings import Finding
from promptsales.settings import ROOT
from promptsales.specs import mart
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import Mart
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import Expectation, read_suite

Spec = Contract | StreamContract | Mart

MARTS_DAG = "warehouse_marts"
STREAM_DAG = "stream_audit"


class Table(NamedTuple):
    """A table; ``kind`` says how its rows arrive."""

    layer: str
    name: str
    kind: str
    dag_id: str
    spec: Spec

    @property
    def title(self) -> str:
        """Its name with its schema."""
        return f"{self.layer}.{self.name}"

    @property
    def expected_every_s(self) -> float | None:
        """How old it may be in seconds before it is late; None for a mart, which is as complete as its inputs."""
        return None if isinstance(self.spec, Mart) else self.spec.late_after.total_seconds()

    @property
    def stale_after_s(self) -> float:
        """How old it may be in seconds before it is stale."""
        return self.spec.stale_after.total_seconds()

    @property
    def rules(self) -> dict[str, Expectation]:
        """Its rules by name."""
        return read_suite(self.spec).by_rule


@cache
def tables() -> dict[str, Table]:
    """Return every table that loads, streams or builds fill, by name; no two have the same name."""
    return {table.name: table for table in _tables()}


def _tables() -> Iterator[Table]:
    for name, feed in contracts().items():
        yield Table("core", name, "hourly", f"{feed.source.system}_hourly", feed)
    for name, streamed in stream_contracts().items():
        yield Table(streamed.layer, name, "stream", STREAM_DAG, streamed)
    for name, spec in mart.tables().items():
        yield Table("marts", name, "mart", MARTS_DAG, spec)


def find_table(name: str) -> Table:
    """Return a table by its name, with or without its schema.

    Raises:
        ConfigError: when there is none.
    """
    table = tables().get(name.rpartition(".")[2])
    if table is None or name not in (table.name, table.title):
        raise ConfigError(f"no table is called {name!r}; the overview lists all tables")
    return table


def inputs(table: Table) -> list[str]:
    """Return what a table is built from: relations of a source, or tables of the warehouse."""
    if isinstance(table.spec, Mart):
        return list(table.spec.inputs)
    return [f"{table.spec.source.system}: {table.spec.source.relation}"]


def outputs(table: Table) -> list[str]:
    """Return the marts and views that read a table."""
    return [f"marts.{name}" for name, spec in mart.catalogue().items() if table.title in spec.inputs]


def sources(table: Table) -> dict[str, str]:
    """Return the files that build a mart by their path in the repository: the Spark job, then its queries."""
    if not isinstance(table.spec, Mart):
        return {}
    job = ROOT / "spark_jobs" / f"{table.name}.py"
    files = [job, *(path for path in sorted(table.spec.folder.glob("*.sql")) if _is_query(path))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files if path.is_file()}


def _is_query(path: Path) -> bool:
    """Return whether a file of a mart's folder is a query; the others are its DDL and numbered migrations."""
    return path.stem != "table" and not path.stem[0].isdigit()


class ShownColumn(NamedTuple):
    """A column; ``pii`` is its class of personal data, None for a mart, whose columns hold none."""

    name: str
    type: str
    pii: str | None
    transform: str
    text: str
    is_key: bool


def columns(table: Table) -> list[ShownColumn]:
    """Return the columns of a table, in order."""
    spec = table.spec
    if isinstance(spec, Mart):
        return [ShownColumn(c.name, c.type, None, "", c.comment, c.name in spec.grain) for c in spec.columns]
    return [ShownColumn(c.name, c.type, c.pii, c.transform, c.description, c.name == spec.key) for c in spec.columns]


def table_of(finding: Finding) -> str | None:
    """Return the name of the table that a finding is about, if it is about one."""
    name = finding.where.rpartition(" ")[2].rpartition(".")[2]
    if name in tables():
        return name
    topic = finding.where.rpartition(" ")[2]
    return next(
        (t.name for t in tables().values() if isinstance(t.spec, StreamContract) and t.spec.topic == topic), None
    )


def offending_columns(rule: Expectation | None) -> list[str]:
    """Return the columns that a rule judges; a rule in SQL judges the row."""
    if rule is None:
        return []
    kwargs = rule.kwargs
    names = [kwargs.get(key) for key in ("column", "column_A", "column_B")] + list(kwargs.get("column_list", []))
    condition = kwargs.get("row_condition")
    if isinstance(condition, dict):
        names.append(condition.get("column", {}).get("name"))
    return [name for name in names if name]

"""Running a suite with Great Expectations, on the connection we were handed.

Great Expectations reports; we decide. A check that cannot run has failed, and so has one that names fewer rows than it
counts: without names nothing can be quarantined.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.abc import Loader
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader
from sqlalchemy.pool import StaticPool

from promptsales.errors import ConfigError
from promptsales.quality import sql_rules
from promptsales.quality.verdict import Verdict
from promptsales.specs import derived
from promptsales.specs.suite import CLOCK_TOLERANCE, Suite

# before the import: it announces each of its functions at INFO
logging.getLogger("great_expectations").setLevel(logging.WARNING)
import great_expectations as gx  # noqa: E402

LONG_AGO = timedelta(days=90)


_COUNT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_TIMES: dict[str, type[Loader]] = {"timestamptz": TimestamptzLoader, "timestamp": TimestampLoader, "date": DateLoader}


class _Lent(StaticPool):
    """A pool of one connection, which stays its owner's when Great Expectations is done with it."""

    def _close_connection(self, connection: Any, *, terminate: bool = False) -> None:
        pass


# SQLAlchemy logs by the name of the class, and this one's is among ours
logging.getLogger(f"{_Lent.__module__}.{_Lent.__name__}").setLevel(logging.WARNING)


def run_suite(
    suite: Suite,
    connection: psycopg.Connection,
    schema: str,
    table: str,
    read_at: datetime,
    row: str | None = None,
    query: str | None = None,
) -> Iterator[Verdict]:
    """Run a suite over one table.

    Args:
        suite: the rules.
        connection: where the table is; in autocommit.
        schema: the table's schema.
        table: the table.
        read_at: when its rows were read; suites know it as ``$PARAMETER: horizon``, plus five minutes of tolerance, and
            as ``$PARAMETER: ninety_days_ago``; their SQL knows it as ``current_setting('promptsales.read_at')``.
        row: a column that names a row, to be told which rows break a quarantine rule; None to have them counted only.
        query: what to look at instead of the whole table.

    Raises:
        ConfigError: when Great Expectations does not know an expectation, which it would drop without a word.
    """
    expectations = {e.meta.rule: e.model_dump(mode="json") for e in suite.expectations if e.query is None}
    known = gx.ExpectationSuite(name=suite.name, expectations=list(expectations.values()))
    if len(known.expectations) != len(expectations):
        missing = {e["type"] for e in expectations.values()} - {e.expectation_type for e in known.expectations}
        raise ConfigError(f"suite {suite.name}: great expectations knows no {', '.join(sorted(missing))}")
    connection.execute("select set_config('promptsales.read_at', %s, false)", [read_at.isoformat()])
    verdicts: dict[str, Verdict] = {}
    if expectations:
        with _times_as_text(connection):
            batch = _batch(connection, schema, table, query)
            verdicts = _judge(batch, suite, known, read_at, _COUNT)
            # naming rows costs half as much again as counting them, and most rules of most loads hold
            broken = [expectations[rule] for rule, verdict in verdicts.items() if _must_name(verdict)]
            if row and broken:
                some = gx.ExpectationSuite(name=suite.name, expectations=broken)
                verdicts |= _judge(batch, suite, some, read_at, _named(connection, schema, table, row), row)
    rows = sql.SQL(f"({query})") if query else sql.Identifier(schema, table)
    for expectation in suite.expectations:
        if expectation.query is not None:
            yield sql_rules.judge(expectation, connection, rows)
        else:
            yield verdicts[expectation.meta.rule]


def _judge(
    batch: Any, suite: Suite, wanted: Any, read_at: datetime, result_format: Mapping[str, Any], row: str | None = None
) -> dict[str, Verdict]:
    """The verdicts on some expectations of a suite, by the names of their rules."""
    parameters: dict[str, date] = {"horizon": read_at + CLOCK_TOLERANCE, "ninety_days_ago": (read_at - LONG_AGO).date()}
    parameters |= derived.parameters()
    answer = batch.validate(wanted, expectation_parameters=parameters, result_format=result_format)
    verdicts = [_verdict(suite, result, row) for result in answer.results]
    return {verdict.expectation.meta.rule: verdict for verdict in verdicts}


@contextmanager
def _times_as_text(connection: psycopg.Connection) -> Iterator[None]:
    """Great Expectations fetches the values that fail a rule, and Python has no infinite time and no year before 1."""
    for name in _TIMES:
        connection.adapters.register_loader(name, TextLoader)
    try:
        yield
    finally:
        for name, loader in _TIMES.items():
            connection.adapters.register_loader(name, loader)


def _batch(connection: psycopg.Connection, schema: str, table: str, query: str | None) -> Any:
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # the address is never used: every connection it asks for is ours
    source = context.data_sources.add_postgres(
        "warehouse",
        connection_string="postgresql+psycopg://handed:over@localhost/warehouse",
        kwargs={"creator": lambda: connection, "poolclass": _Lent},
    )
    if query:
        return source.add_query_asset(table, query=query).add_batch_definition_whole_table("all").get_batch()
    with warnings.catch_warnings():
        # its PostgreSQL source has no other way to name a schema (1.24)
        warnings.filterwarnings("ignore", "`schema_name` is deprecated", DeprecationWarning)
        asset = source.add_table_asset(table, table_name=table, schema_name=schema)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _must_name(verdict: Verdict) -> bool:
    """Whether Great Expectations is to say which rows fail, to be marked."""
    expectation = verdict.expectation
    return expectation.meta.on_fail == "quarantine" and not verdict.is_success and verdict.error is None


def _named(connection: psycopg.Connection, schema: str, table: str, row: str) -> Mapping[str, Any]:
    counted = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
    return {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": [row],
        "exclude_unexpected_values": True,  # no value may reach a log
        "partial_unexpected_count": max(1, counted[0] if counted else 1),  # else the list of rows is cut to 20
    }


def _verdict(suite: Suite, result: Any, row: str | None) -> Verdict:
    expectation = suite.by_rule[result.expectation_config.meta["rule"]]
    details = result.result or {}
    error = _error(result.exception_info)
    unexpected = details.get("unexpected_count") or 0
    rows = [number for found in details.get("unexpected_index_list") or () for number in found[row]] if row else []
    is_named = row is None or len(rows) >= unexpected
    if expectation.meta.on_fail == "quarantine" and not result.success and not is_named:
        error = error or f"{unexpected} rows fail, {len(rows)} are named"
    return Verdict(
        expectation, bool(result.success) and not error, details.get("element_count"), unexpected, rows, error
    )


def _error(info: Any) -> str | None:
    """The kind of the first exception, wherever Great Expectations put it; its text may quote a value."""
    if not isinstance(info, Mapping):
        return None
    if info.get("raised_exception"):
        return str(info.get("exception_message", "unknown")).split(":")[0].split("\n")[0][:200]
    return next(filter(None, (_error(inner) for inner in info.values())), None)

"""Run a suite with Great Expectations on a given connection.

A check that cannot run has failed. A check that names fewer rows than it counts has failed too, because rows without
names cannot be quarantined.
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
from sqlalchemy import Engine, TextClause, event, quoted_name
from sqlalchemy.pool import StaticPool

from promptsales.errors import ConfigError
from promptsales.quality import sql_rules
from promptsales.quality.checker import gx
from promptsales.quality.one_pass import BatchPlan, plan_batch
from promptsales.quality.verdict import Verdict
from promptsales.specs import derived
from promptsales.specs.suite import CLOCK_TOLERANCE, Suite

LONG_AGO = timedelta(days=90)


_COUNT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_TIMES: dict[str, type[Loader]] = {"timestamptz": TimestamptzLoader, "timestamp": TimestampLoader, "date": DateLoader}


class _BorrowedConnection(StaticPool):
    """A pool of one connection, which stays open when Great Expectations closes it."""

    def _close_connection(self, connection: Any, *, terminate: bool = False) -> None:
        pass


# SQLAlchemy names a pool's logger after its class
logging.getLogger(f"{_BorrowedConnection.__module__}.{_BorrowedConnection.__name__}").setLevel(logging.WARNING)


def run_suite(
    suite: Suite,
    connection: psycopg.Connection,
    schema: str,
    table: str,
    read_at: datetime,
    row: str | None = None,
    query: str | None = None,
) -> Iterator[Verdict]:
    """Run a suite on a table and yield a verdict for each rule.

    Args:
        suite: the rules.
        connection: a connection to the table's database, in autocommit.
        schema: the table's schema.
        table: the table.
        read_at: when its rows were read; suites use it as ``$PARAMETER: horizon``, plus five minutes of tolerance, and
            as ``$PARAMETER: ninety_days_ago``; their SQL uses ``current_setting('promptsales.read_at')``.
        row: the column that identifies rows, to return which rows break a quarantine rule; None to only count them.
        query: the rows to check, instead of the whole table.

    Raises:
        ConfigError: when Great Expectations does not know an expectation, which it would drop silently.
    """
    rows = sql.SQL(f"({query})") if query else sql.Identifier(schema, table)
    batch = plan_batch((e for e in suite.expectations if e.query is None), connection, rows)
    expectations = batch.expectations
    known = gx.ExpectationSuite(name=suite.name, expectations=list(expectations.values()))
    if len(known.expectations) != len(expectations):
        missing = {e["type"] for e in expectations.values()} - {e.expectation_type for e in known.expectations}
        raise ConfigError(f"suite {suite.name}: great expectations knows no {', '.join(sorted(missing))}")
    connection.execute("select set_config('promptsales.read_at', %s, false)", [read_at.isoformat()])
    verdicts: dict[str, Verdict] = {}
    if expectations:
        with _times_as_text(connection):
            asset = _batch(connection, schema, table, batch.query or query)
            verdicts = _validate(asset, batch, suite, known, read_at, _COUNT)
            # naming rows takes 1.5 times as long as counting them, and most rules hold
            broken = [expectations[rule] for rule, verdict in verdicts.items() if _must_name_rows(verdict)]
            if row and broken:
                failed = gx.ExpectationSuite(name=suite.name, expectations=broken)
                named = _name_rows(connection, schema, table, row)
                verdicts |= _validate(asset, batch, suite, failed, read_at, named, row)
    for expectation in suite.expectations:
        if expectation.query is not None:
            yield sql_rules.check_rule(expectation, connection, rows)
        else:
            yield verdicts[expectation.meta.rule]


def _validate(
    asset: Any,
    batch: BatchPlan,
    suite: Suite,
    checked: Any,
    read_at: datetime,
    result_format: Mapping[str, Any],
    row: str | None = None,
) -> dict[str, Verdict]:
    """Return the verdicts of the expectations in ``checked``, by rule."""
    parameters: dict[str, date] = {"horizon": read_at + CLOCK_TOLERANCE, "ninety_days_ago": (read_at - LONG_AGO).date()}
    parameters |= derived.read_parameters()
    answer = asset.validate(checked, expectation_parameters=parameters, result_format=result_format)
    verdicts = [_verdict(batch, suite, result, row) for result in answer.results]
    return {verdict.expectation.meta.rule: verdict for verdict in verdicts}


@contextmanager
def _times_as_text(connection: psycopg.Connection) -> Iterator[None]:
    """Fetch times as text: Great Expectations fetches failing values, and Python has no infinite or BC times."""
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
    # the address is not used, because `creator` returns the connection
    source = context.data_sources.add_postgres(
        "warehouse",
        connection_string="postgresql+psycopg://handed:over@localhost/warehouse",
        kwargs={"creator": lambda: connection, "poolclass": _BorrowedConnection},
    )
    if query:
        _correct(query, source.get_execution_engine().engine)
        return source.add_query_asset(table, query=query).add_batch_definition_whole_table("all").get_batch()
    with warnings.catch_warnings():
        # Great Expectations 1.24 has no other way to name a schema of PostgreSQL
        warnings.filterwarnings("ignore", "`schema_name` is deprecated", DeprecationWarning)
        # it quotes no other name, not even one with capitals
        asset = source.add_table_asset(table, table_name=quoted_name(table, quote=True), schema_name=schema)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _correct(query: str, engine: Engine) -> None:
    """Correct two things that Great Expectations does with a batch that is a query.

    It escapes percent signs twice, and fetches all rows where it asks for the columns.
    """

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def correct(_: Any, __: Any, statement: str, parameters: Any, context: Any, ___: bool) -> tuple[str, Any]:
        statement = statement.replace("%%%%", "%%")
        asked = getattr(context.compiled, "statement", None)
        if isinstance(asked, TextClause) and asked.text.replace("%%", "%") == query:
            statement = f"select * from ({statement}) as batch limit 0"  # noqa: S608 -- the statement is ours
        return statement, parameters


def _must_name_rows(verdict: Verdict) -> bool:
    """Return whether the failing rows of a rule must be known, so that they can be marked."""
    expectation = verdict.expectation
    return expectation.meta.on_fail == "quarantine" and not verdict.is_success and verdict.error is None


def _name_rows(connection: psycopg.Connection, schema: str, table: str, row: str) -> Mapping[str, Any]:
    """Return the result format in which Great Expectations names the failing rows."""
    count = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
    return {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": [row],
        "exclude_unexpected_values": True,  # no value may reach a log
        "partial_unexpected_count": max(1, count[0] if count else 1),  # the default cuts the list of rows to 20
    }


def _verdict(batch: BatchPlan, suite: Suite, result: Any, row: str | None) -> Verdict:
    expectation = suite.by_rule[result.expectation_config.meta["rule"]]
    details = result.result or {}
    error = _error(result.exception_info)
    unexpected, elements = details.get("unexpected_count") or 0, details.get("element_count")
    if expectation.meta.rule in batch.conditional and elements is not None:
        elements -= details.get("missing_count") or 0
    rows = [number for group in details.get("unexpected_index_list") or () for number in group[row]] if row else []
    is_named = row is None or len(rows) >= unexpected
    if expectation.meta.on_fail == "quarantine" and not result.success and not is_named:
        error = error or f"{unexpected} rows fail, {len(rows)} are named"
    return Verdict(expectation, bool(result.success) and not error, elements, unexpected, rows, error)


def _error(info: Any) -> str | None:
    """Return the kind of the first exception, at any depth; the rest of its text may quote a value."""
    if not isinstance(info, Mapping):
        return None
    if info.get("raised_exception"):
        return str(info.get("exception_message", "unknown")).split(":")[0].split("\n")[0][:200]
    return next(filter(None, (_error(inner) for inner in info.values())), None)

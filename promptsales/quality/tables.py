"""Check whole tables of the warehouse; the results are recorded and no row is marked."""

from datetime import datetime

import psycopg
from psycopg import sql

from promptsales.quality.run import run_suite
from promptsales.quality.verdict import Verdict, record
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import Mart, mart
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import read_suite

# a row that was released by hand is left out while it is that version
_NOT_RELEASED = sql.SQL("""
    and _loaded_at >= {since} and not exists (
        select from ops.quarantine q
        where q.feed = {feed} and q.key = t.{key}::text and q.release_reason = 'waived'
          and ((q.payload->>'src_epoch')::integer, (q.payload->>'src_lsn')::bigint,
               (q.payload->>'src_is_snapshot')::boolean) = (t.src_epoch, t.src_lsn, t.src_is_snapshot)
    )
""")


def audit_table(name: str, warehouse: psycopg.Connection, now: datetime) -> list[Verdict]:
    """Run the suite of a feed, a streamed table or a mart on all its rows, and record the results."""
    if name in contracts():
        return audit_core(contracts()[name], warehouse, now)
    if name in stream_contracts():
        return audit_streamed(stream_contracts()[name], warehouse, now)
    return audit_mart(mart(name), warehouse, now)


def audit_core(contract: Contract, warehouse: psycopg.Connection, now: datetime) -> list[Verdict]:
    """Run the feed's suite on its core table, with ``now`` as its clock, and record the results."""
    verdicts = list(run_suite(read_suite(contract), warehouse, "core", contract.table, now))
    with warehouse.transaction():
        record(warehouse, contract.table, None, verdicts)
    return verdicts


def audit_mart(mart: Mart, warehouse: psycopg.Connection, now: datetime) -> list[Verdict]:
    """Run a mart's suite on the published mart, with ``now`` as its clock, and record the results."""
    verdicts = list(run_suite(read_suite(mart), warehouse, "marts", mart.mart, now))
    with warehouse.transaction():
        record(warehouse, mart.mart, None, verdicts)
    return verdicts


def audit_streamed(
    contract: StreamContract, warehouse: psycopg.Connection, now: datetime, since: datetime | None = None
) -> list[Verdict]:
    """Run a streamed table's suite on its rows that are not deleted, and record the results.

    With ``since`` it checks the rows loaded since that time, except versions that somebody has released by hand, so
    that these do not block the marts.
    """
    text = living_rows(contract, since).as_string(warehouse)
    verdicts = list(run_suite(read_suite(contract), warehouse, contract.layer, contract.table, now, query=text))
    with warehouse.transaction():
        record(warehouse, contract.table, None, verdicts)
    return verdicts


def living_rows(contract: StreamContract, since: datetime | None) -> sql.Composed:
    """Compose the living rows of a streamed table, or those loaded since a time, that nobody has released by hand."""
    query = sql.SQL("select * from {} t where not is_deleted").format(sql.Identifier(contract.layer, contract.table))
    if since:
        query += _NOT_RELEASED.format(
            since=sql.Literal(since), feed=sql.Literal(contract.table), key=sql.Identifier(contract.key)
        )
    return query

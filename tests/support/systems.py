"""Empty the systems."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import redis
from psycopg import sql
from pymongo import MongoClient

from promptsales.settings import Settings


def empty(stack: Settings) -> None:
    """Delete every row of sample data in the operational systems."""
    with psycopg.connect(stack.address("promptads")) as connection:
        connection.execute("truncate promptads.campaigns cascade")
        connection.execute("truncate promptads.ad_metrics")
    with psycopg.connect(stack.address("promptcrm")) as connection:
        connection.execute("truncate crm.accounts, crm.contacts, crm.leads, crm.pipeline_stages cascade")
    with psycopg.connect(stack.address("promptsales")) as connection:
        connection.execute("delete from promptsales.subscriptions")
        connection.execute("delete from promptsales.users")
    with MongoClient[dict[str, Any]](stack.address("promptcontent")) as client:
        for name in ("content_assets", "prompt_history"):
            client.get_default_database()[name].delete_many({})
    with redis.Redis.from_url(stack.address("redis")) as cache:
        cache.flushdb()


@contextmanager
def redis_apart(stack: Settings, number: int, decode_responses: bool = False) -> Iterator["redis.Redis"]:
    """A database of Redis that no worker of the stack uses, empty before and after.

    The number goes into the address: a database that the address names outranks the client's argument ``db``.
    """
    address = stack.address("redis").removesuffix("/0")
    with redis.Redis.from_url(f"{address}/{number}", decode_responses=decode_responses) as client:
        assert client.connection_pool.connection_kwargs["db"] == number
        client.flushdb()
        yield client
        client.flushdb()


@contextmanager
def emptied_warehouse(stack: Settings) -> Iterator[psycopg.Connection]:
    """Empty every table of core, ops and realtime except the seeds, and connect as the warehouse's administrator."""
    with psycopg.connect(stack.address("warehouse_admin"), autocommit=True) as connection:
        empty_tables(connection)
        yield connection


# topics and sources outlive a test, so what the stream remembers of them does too
_KEPT = ["calendar", "plan_price", "ai_model", "staleness", "stream_offset", "connector"]
_TABLES = """
    select schemaname, tablename, exists(
        select from pg_constraint
        where contype = 'f' and conrelid = format('%%I.%%I', schemaname, tablename)::regclass
    ) as refers
    from pg_tables where schemaname = any(%s) and tablename <> all(%s)
"""


def empty_tables(warehouse: psycopg.Connection, *more: str) -> None:
    """Empty core, ops, realtime and more schemas except the seeds, as the warehouse's administrator.

    Truncating a table replaces its files and those of its indexes, so tables without rows are left alone, except those
    that refer to another one: PostgreSQL truncates both or neither.
    """
    tables = warehouse.execute(_TABLES, [["core", "ops", "realtime", *more], _KEPT]).fetchall()
    names = [(sql.Identifier(schema, table), refers) for schema, table, refers in tables]
    holds = [sql.SQL("exists(select from {})").format(name) for name, _ in names]
    has_rows = warehouse.execute(sql.SQL("select {}").format(sql.SQL(", ").join(holds))).fetchone() or ()
    used = [name for (name, refers), has in zip(names, has_rows, strict=True) if has or refers]
    truncate(warehouse, used)
    # except what events written by hand left out
    warehouse.execute("update ops.stream_offset set absent_events = 0, absent_columns = '{}', absent_at = null")


def truncate(warehouse: psycopg.Connection, tables: Sequence[sql.Identifier], patience_s: float = 60) -> None:
    """Truncate tables of which all can be locked at once.

    A service of the stack reads several tables in one transaction, in an order of its own. TRUNCATE alone locks one
    table after the other and would wait for it with some of them locked: a deadlock.
    """
    names, end = sql.SQL(", ").join(tables), time.monotonic() + patience_s
    while True:
        try:
            with warehouse.transaction():
                warehouse.execute(sql.SQL("lock table {} in access exclusive mode nowait").format(names))
                warehouse.execute(sql.SQL("truncate {}").format(names))
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return

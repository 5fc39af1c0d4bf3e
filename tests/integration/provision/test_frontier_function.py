"""etl.frontier(): what holds it, what does not, and what it refuses."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import class_row

from tests.integration.provision.conftest import Connect


class FrontierRow(NamedTuple):
    """A row that the function returns."""

    frontier: datetime | None
    read_at: datetime
    is_standby: bool
    held_by: str | None
    held_since: datetime | None
    refused: str | None


@pytest.fixture(scope="module")
def reader(crm_copy: Connect) -> Iterator[psycopg.Connection]:
    with crm_copy("etl_reader") as connection:
        yield connection


def ask(reader: psycopg.Connection) -> FrontierRow:
    with reader.cursor(row_factory=class_row(FrontierRow)) as cursor:
        row = cursor.execute("select * from etl.frontier()").fetchone()
    assert row
    return row


def began(connection: psycopg.Connection) -> datetime:
    row = connection.execute("select transaction_timestamp()").fetchone()
    assert row
    return row[0]  # type: ignore[no-any-return]


def test_nothing_open(reader: psycopg.Connection) -> None:
    frontier = ask(reader)
    assert frontier.frontier is not None
    assert timedelta() <= frontier.read_at - frontier.frontier < timedelta(seconds=1)
    assert (frontier.held_by, frontier.refused, frontier.is_standby) == (None, None, False)


WRITE = "insert into crm.leads (owner_user_id) values (gen_random_uuid())"


@pytest.mark.parametrize("statement", ["select 1", WRITE])
def test_oldest_open_transaction_holds_it_and_is_named(
    crm_copy: Connect, reader: psycopg.Connection, statement: str
) -> None:
    with crm_copy("promptcrm_owner") as first, crm_copy("promptcrm_owner") as second:
        first.execute("set application_name = 'import'")
        with first.transaction():
            start = began(first)
            first.execute(statement.encode())
            with second.transaction():
                second.execute(statement.encode())
                frontier = ask(reader)
        assert frontier.frontier == start
        assert f"session {first.info.backend_pid} of promptcrm_owner (import, idle in transaction)" in (
            frontier.held_by or ""
        )
    assert ask(reader).held_by is None


@pytest.mark.parametrize("role", ["etl_reader", "etl_audit"])
def test_the_pipeline_does_not_hold_itself(crm_copy: Connect, reader: psycopg.Connection, role: str) -> None:
    with crm_copy(role) as own, own.transaction():
        start = began(own)
        frontier = ask(reader)
        assert frontier.frontier is not None
        assert frontier.frontier > start
        assert frontier.held_by is None


def test_prepared_transaction_stops_it(crm_copy: Connect, reader: psycopg.Connection) -> None:
    with crm_copy("promptcrm_owner") as writer:
        name = f"test_{writer.info.dbname}"
        writer.execute("begin; insert into crm.leads (owner_user_id) values (gen_random_uuid())")
        writer.execute(sql.SQL("prepare transaction {}").format(name))
        try:
            frontier = ask(reader)
        finally:
            writer.execute(sql.SQL("rollback prepared {}").format(name))
    assert frontier.frontier is None
    assert frontier.refused is None
    assert f"prepared transaction '{name}' of promptcrm_owner" in (frontier.held_by or "")
    assert ask(reader).frontier is not None


def test_session_that_shows_nothing_is_refused(crm_copy: Connect, reader: psycopg.Connection) -> None:
    with crm_copy("postgres") as blind:
        blind.execute("set track_activities = off")
        with blind.transaction():
            blind.execute("select 1")
            frontier = ask(reader)
    assert (frontier.frontier, frontier.refused) == (None, "1 sessions have track_activities switched off")


def test_hidden_sessions_are_refused(crm_copy: Connect, reader: psycopg.Connection) -> None:
    with crm_copy("postgres") as admin:
        admin.execute("revoke pg_read_all_stats from etl_frontier")
        try:
            frontier = ask(reader)
        finally:
            admin.execute("grant pg_read_all_stats to etl_frontier")
    assert frontier.frontier is None
    assert "no member of pg_read_all_stats" in (frontier.refused or "")


def test_nobody_else_may_ask(crm_copy: Connect) -> None:
    with crm_copy("etl_audit") as stranger, pytest.raises(psycopg.errors.InsufficientPrivilege):
        stranger.execute("select * from etl.frontier()")

"""A followed column is renamed or dropped at the source: a missing value is not null, and the table is marked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from promptsales.connections import connected
from promptsales.errors import SourceRefused
from promptsales.monitoring.doctor import diagnose
from promptsales.provision import provision
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import absent_columns, connectors
from promptsales.stream.audit import AuditResult, audit
from promptsales.stream.audit_books import record
from promptsales.stream.dead_letter_desk import list_letters
from tests.support.campaigning import start_campaigns
from tests.support.streaming import assert_equal_to_the_source, followed, is_followed, settle, wait
from tests.support.wholeness import amiss

CAMPAIGNS = stream_contracts()["campaigns"]
MORE = """
    insert into promptads.campaigns (user_id, name, objective, budget, status)
    select user_id, 'more ' || n, 'conversions', 40, 'active'
    from (select user_id from promptads.campaigns limit 1) one cross join generate_series(1, 192) n
"""
_TO_TITLE = "alter table promptads.campaigns rename column name to title"
_TO_NAME = "alter table promptads.campaigns rename column title to name"
_IN_CORE = "select status, count(*), count(distinct name), count(name) from core.campaigns group by 1"
_HISTORY = """
    select status, count(*), count(name), count(*) filter (where valid_to = 'infinity')
    from core.campaigns_history group by 1 order by 1
"""
_RESTORE = """
    do $$ begin
        if to_regclass('promptads.campaigns') is not null and exists (
            select from pg_attribute where attrelid = 'promptads.campaigns'::regclass and attname = 'title'
        ) then alter table promptads.campaigns rename column title to name; end if;
        if exists (
            select from pg_attribute where attrelid = 'promptads.ad_groups'::regclass and attname = 'group_id'
        ) then alter table promptads.ad_groups rename column group_id to id; end if;
    end $$
"""


@pytest.fixture
def ads(stack: Settings, warehouse: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Follow PromptAds with 200 campaigns; restore the names of its columns afterwards."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as connection, followed(stack):
        start_campaigns(stack)
        connection.execute(MORE)
        settle(stack)
        try:
            yield connection
        finally:
            connection.execute(_RESTORE)
            provision(stack)
            for contract in stream_contracts().values():
                absent_columns.remove_mark(warehouse, contract, datetime.now(UTC))


def audited(stack: Settings, warehouse: psycopg.Connection, table: str = "campaigns") -> AuditResult:
    contract = stream_contracts()[table]
    with connected(stack, "promptads_cdc") as source:
        found = audit(stack, contract, source, warehouse, timedelta(hours=3))
    record(warehouse, contract, found, "test", datetime.now(UTC))
    return found


def told(stack: Settings) -> set[str]:
    return {finding.where for finding in diagnose(stack)}


def rows(warehouse: psycopg.Connection, query: str) -> list[Any]:
    return warehouse.execute(query.encode()).fetchall()


def test_a_column_is_renamed_and_named_so_again(
    stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    ads.execute(_TO_TITLE)
    ads.execute("update promptads.campaigns set status = 'paused'")
    settle(stack)
    assert rows(warehouse, _IN_CORE) == [("paused", 200, 200, 200)]
    assert rows(warehouse, _HISTORY) == [("active", 200, 200, 0), ("paused", 200, 200, 200)]
    assert {"table core.campaigns", "publication promptads"} <= told(stack)
    with pytest.raises(SourceRefused, match=r"promptads\.campaigns has no column name, which the contract names"):
        audited(stack, warehouse)

    # a snapshot lacks the column too, and a new row goes to quarantine
    ads.execute(MORE.replace("name,", "title,").replace("192", "1").encode())
    connectors.snapshot_again(stack, "promptads")
    wait(lambda: is_followed(stack))
    settle(stack)
    assert rows(warehouse, _IN_CORE) == [("paused", 200, 200, 200)]
    assert rows(warehouse, "select rules from ops.quarantine where released_at is null") == [(["name_not_sent"],)]
    assert "feed campaigns" in told(stack)

    ads.execute(_TO_NAME)
    ads.execute("update promptads.campaigns set name = 'other' where name = 'more 1' and status = 'paused'")
    settle(stack)
    assert (audited(stack, warehouse).differing, audited(stack, warehouse).repaired) == (1, 0)
    history = [("active", 201, 201, 1), ("paused", 201, 201, 200)]
    assert rows(warehouse, _HISTORY) == history
    assert absent_columns.read_marked_topics(warehouse) == []
    assert amiss(stack) == []


def test_the_key_is_renamed(stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    before = rows(warehouse, "select ad_group_id, name from core.ad_groups order by 1")
    ads.execute("alter table promptads.ad_groups rename column id to group_id")
    ads.execute("update promptads.ad_groups set name = 'other'")
    settle(stack)
    assert rows(warehouse, "select ad_group_id, name from core.ad_groups order by 1") == before
    dead = list_letters(warehouse, None, 100)
    assert {letter.reason for letter in dead} == {
        "operation u has no value of id, the key of promptads.ad_groups: the changed row is unknown; if the source "
        "renamed that column, rename it back"
    }
    assert len(dead) == len(before)
    with pytest.raises(SourceRefused, match=r"promptads\.ad_groups has no column id"):
        audited(stack, warehouse, "ad_groups")
    ads.execute("alter table promptads.ad_groups rename column group_id to id")
    assert audited(stack, warehouse, "ad_groups").differing == len(before)
    assert_equal_to_the_source(stack, warehouse)

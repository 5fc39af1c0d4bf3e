"""The source changes followed tables: the stream continues, and stores nothing that no contract names."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest

from promptsales.connections import connected
from promptsales.errors import ConfigError, TerminalError
from promptsales.monitoring.doctor import diagnose
from promptsales.provision import provision
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import connectors
from promptsales.stream.absent_columns import read_marked_topics
from promptsales.stream.audit import AuditResult, audit
from promptsales.stream.audit_books import refuse_unpublished
from promptsales.stream.dead_letter_desk import MessagePosition, drop, list_letters
from promptsales.stream.waive import waive
from tests.support.campaigning import ADVERTISING, start_campaigns
from tests.support.deciding import BY_HAND
from tests.support.streaming import followed, is_followed, settle, wait
from tests.support.wholeness import amiss
from tests.support.working import Working

METRICS = stream_contracts()["campaign_metrics"]
# every column, so that no column depends on the publication; `provision` restores the list
_RESTORE = """
    alter publication promptads set table promptads.campaigns (id);
    alter table promptads.campaigns alter column name type varchar(255) using left(name, 255);
    alter table promptads.campaign_metrics drop column if exists note cascade,
        alter column impressions type integer using least(impressions, 2147483647);
    alter table promptads.ads add column if not exists content_id varchar(255);
    comment on column promptads.ads.content_id is
        'Id of the asset in promptcontent.content_assets; no foreign key reaches across databases.'
"""
_AD = "insert into promptads.ads (ad_group_id, content_id, type, status) values (null, 'c1', 'text', 'active')"
# PostgreSQL refuses to change the type of a published column
_WIDEN = """
    alter publication promptads drop table promptads.campaign_metrics;
    alter table promptads.campaign_metrics alter column impressions type bigint;
    alter publication promptads add table promptads.campaign_metrics
        (id, campaign_id, timestamp, impressions, clicks, spend, conversions, updated_at)
"""
_WIDEN_NAMES = """
    alter publication promptads drop table promptads.campaigns;
    alter table promptads.campaigns alter column name type varchar(500);
    alter publication promptads add table promptads.campaigns
        (id, user_id, name, objective, budget, currency_code, status, start_date, end_date, created_at, updated_at,
         deleted_at)
"""
_HUGE = """
    update promptads.campaign_metrics set impressions = 3000000000
    where id = (select max(id) from promptads.campaign_metrics) returning id
"""
_HELD = """
    select feed, key, rules, payload->>'impressions', length(payload->>'name') from ops.quarantine
    where released_at is null order by feed
"""
_PUBLISH_LESS = """
    alter publication promptads drop table promptads.ads;
    alter publication promptads add table promptads.ads
        (id, ad_group_id, type, status, created_at, updated_at, deleted_at)
"""
_PUBLISH_MORE = """
    alter publication promptads drop table promptads.campaign_metrics;
    alter publication promptads add table promptads.campaign_metrics
"""
_FORGET = """
    update ops.stream_offset
    set unnamed_events = 0, unnamed_at = null, absent_events = 0, absent_columns = '{}', absent_at = null
"""
_UNNAMED = "select coalesce(sum(unnamed_events), 0) from ops.stream_offset where topic = %s"


@pytest.fixture
def ads(stack: Settings, warehouse: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Follow PromptAds; restore its tables afterwards."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as connection, followed(stack):
        start_campaigns(stack)
        try:
            yield connection
        finally:
            change(stack, _RESTORE)
            provision(stack)
            # the doctor would report them for a day, or until the next audit
            warehouse.execute(_FORGET)


def change(stack: Settings, statements: str) -> None:
    """Change tables and publication by hand in one transaction."""
    with connected(stack, "sources_admin", "promptsales") as admin, admin.transaction():
        admin.execute(statements.encode())


def test_a_column_is_added_widened_dropped(
    stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    group = "insert into promptads.ad_groups (campaign_id, name) select id, 'g' from promptads.campaigns limit 1"
    ads.execute(group)
    ads.execute(_AD.replace("null", "(select min(id::text)::uuid from promptads.ad_groups)").encode())
    with Working(stack, ADVERTISING) as work:
        for drift in ("alter table promptads.campaign_metrics add column note text default 'call Jane'", _WIDEN):
            change(stack, drift)
            before = work.commits
            wait(lambda before=before: work.commits > before + 50)  # type: ignore[misc]
    settle(stack)
    assert amiss(stack) == []
    change(stack, _PUBLISH_LESS)
    ads.execute("alter table promptads.ads drop column content_id")
    ads.execute("update promptads.ads set status = 'paused'")
    settle(stack)
    # a missing value is not null
    shown = "select distinct status, content_id from core.ads where not is_deleted order by content_id"
    assert warehouse.execute(shown).fetchall() == [("paused", "c1"), ("paused", "c2")]
    assert [(mark.topic, mark.columns) for mark in read_marked_topics(warehouse)] == [
        ("promptads.promptads.ads", ["content_id"])
    ]
    # the publication does not include it, so it never left the source
    assert warehouse.execute(_UNNAMED, [METRICS.topic]).fetchone() == (0,)


def test_what_is_widened_beyond_the_contract_is_never_cut(
    stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    with Working(stack, ADVERTISING) as work:
        wait(lambda: work.commits > 20)
    for drift in (_WIDEN, _WIDEN_NAMES):
        change(stack, drift)
    long, other = [row[0] for row in ads.execute("select id from promptads.campaigns order by id limit 2")]
    ads.execute("update promptads.campaigns set name = repeat('x', 300) where id = %s", [long])
    huge = ads.execute(_HUGE).fetchone()
    settle(stack)
    # the stream continues, and reports what it could not store
    admin.execute("update core.campaigns set budget = budget + 1 where campaign_id = %s", [other])
    found = [audited(stack, warehouse, name) for name in ("campaigns", "campaign_metrics")]
    assert [(one.differing, one.left) for one in found] == [(1, ()), (0, ())]
    held = [
        ("campaign_metrics", str(huge and huge[0]), ["value_out_of_range"], "3000000000", None),
        ("campaigns", str(long), ["value_too_long"], None, 300),
    ]
    assert warehouse.execute(_HELD).fetchall() == held
    shown = "select max(length(name)) < 10, max(impressions) < 1000 from core.campaigns, core.campaign_metrics"
    assert warehouse.execute(shown.encode()).fetchone() == (True, True)
    again = [audited(stack, warehouse, name) for name in ("campaigns", "campaign_metrics")]
    assert [(one.repaired, one.set_aside) for one in again] == [(0, ()), (0, ())]
    (number,) = (
        warehouse.execute("select quarantine_id from ops.quarantine where key = %s", [str(long)]).fetchone() or ()
    )
    with pytest.raises(ConfigError, match="cannot hold it"):
        waive(stack, stream_contracts()["campaigns"], number, BY_HAND)

    ads.execute("update promptads.campaigns set name = 'short' where id = %s", [long])
    ads.execute("update promptads.campaign_metrics set impressions = 1 where impressions > 1000")
    settle(stack)
    assert warehouse.execute(_HELD).fetchall() == []
    forget_dead_letters(stack, warehouse)
    assert amiss(stack) == []


def audited(stack: Settings, warehouse: psycopg.Connection, table: str) -> AuditResult:
    with connected(stack, "promptads_cdc") as source:
        return audit(stack, stream_contracts()[table], source, warehouse, timedelta(hours=3))


def forget_dead_letters(stack: Settings, warehouse: psycopg.Connection) -> None:
    """Doctor reports dead letters; there are none when the stream has quarantined the rows."""
    places = [(one.topic, one.partition, one.message_offset) for one in list_letters(warehouse, None, 10)]
    told = {finding.where for finding in diagnose(stack) if "dead letters" in finding.what}
    assert told == {f"topic {topic}" for topic, *_ in places}
    for place in places:
        drop(warehouse, MessagePosition(*place), BY_HAND)


def test_what_no_contract_names_and_a_table_that_leaves(
    stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    ads.execute("alter table promptads.campaign_metrics add column note text default 'call Jane'")
    change(stack, _PUBLISH_MORE)
    configure_more(stack)
    with Working(stack, ADVERTISING) as work:
        wait(lambda: work.commits > 50)
    settle(stack)
    assert amiss(stack) == []
    assert warehouse.execute(_UNNAMED, [METRICS.topic]).fetchone() != (0,)
    stored = "select count(*) from core.campaign_metrics m where to_jsonb(m)::text like '%Jane%'"
    assert warehouse.execute(stored).fetchone() == (0,)
    assert f"topic {METRICS.topic}" in {finding.where for finding in diagnose(stack)}

    provision(stack)  # the publication lists columns again; dropping one drops the table from it
    with connected(stack, "sources_admin", "promptsales") as admin:
        admin.execute("alter publication promptads drop table promptads.campaign_metrics")
        admin.execute("alter publication promptads add table promptads.campaign_metrics (id, note)")
    ads.execute("alter table promptads.campaign_metrics drop column note cascade")
    told = [finding.what for finding in diagnose(stack) if finding.where == "publication promptads"]
    assert told == [f"{METRICS.source.relation} is missing, so core.campaign_metrics is not updated"]
    with connected(stack, "promptads_cdc") as source, pytest.raises(TerminalError, match="not in publication"):
        refuse_unpublished(source, METRICS)

    with Working(stack, ADVERTISING) as work:
        wait(lambda: work.commits > 20)  # no event comes of these commits
    provision(stack)
    connectors.snapshot_again(stack, "promptads")
    wait(lambda: is_followed(stack))
    settle(stack)
    wait(lambda: amiss(stack) == [], 20)  # rows deleted in the meantime are swept after the snapshot
    with connected(stack, "promptads_cdc") as source:
        refuse_unpublished(source, METRICS)


def configure_more(stack: Settings) -> None:
    """A connector was changed by hand to read the new column too."""
    with httpx.Client(base_url=stack.address("connect"), trust_env=False, timeout=30) as client:
        config = client.get("/connectors/promptads/config").raise_for_status().json()
        config["column.include.list"] += r",promptads\.campaign_metrics\.note"
        client.put("/connectors/promptads/config", json=config).raise_for_status()
    wait(lambda: is_followed(stack))

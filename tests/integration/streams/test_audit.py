"""The hourly audit finds what is not as the source has it, mends it, and lets the rules judge."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from promptsales.quality.audit import audit_streamed
from promptsales.realtime import rebuild
from promptsales.settings import Settings
from promptsales.stream_audit import has_changed, record
from promptsales.stream_contracts import StreamContract, stream_contracts
from streams.audit import Audited, audit
from tests.support.campaigning import ADVERTISING, start_campaigns
from tests.support.figures import assert_equal_to_a_recount
from tests.support.streaming import assert_equal_to_the_source, followed, settle, wait
from tests.support.systems import emptied_warehouse
from tests.support.working import Working

_BREAK = """
    update promptads.campaign_metrics set clicks = -1 where id = (select max(id) from promptads.campaign_metrics)
"""
_SPOIL = """
    update core.campaign_metrics set impressions = -5
    where metric_id = (select min(metric_id) from core.campaign_metrics where not is_deleted)
"""
METRICS, GROUPS = (stream_contracts()[name] for name in ("campaign_metrics", "ad_groups"))
BACK = timedelta(hours=3)


@pytest.fixture(scope="module")
def admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """The warehouse, as its administrator; empty before the first test."""
    with emptied_warehouse(stack) as connection:
        yield connection


@pytest.fixture(scope="module")
def warehouse(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The warehouse, as the loader."""
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module", autouse=True)
def following(stack: Settings, warehouse: psycopg.Connection) -> Iterator[None]:
    """PromptAds, followed, with some measurements; one of them breaks a rule."""
    with followed(stack):
        start_campaigns(stack)
        with Working(stack, ADVERTISING) as work:
            wait(lambda: work.commits > 60)
        with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
            ads.execute(_BREAK)
        settle(stack)
        yield


def run(stack: Settings, warehouse: psycopg.Connection, contract: StreamContract = METRICS) -> Audited:
    with psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source:
        return audit(stack, contract, source, warehouse, BACK)


def test_what_differs_is_repaired(stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection) -> None:
    assert run(stack, warehouse).repaired == 0
    alive = "select metric_id from core.campaign_metrics where not is_deleted limit 2"
    keys = [key for (key,) in warehouse.execute(alive)]
    admin.execute("update core.campaign_metrics set spend = spend + 1 where metric_id = %s", [keys[0]])
    admin.execute("delete from core.campaign_metrics where metric_id = %s", [keys[1]])
    admin.execute(
        "insert into core.campaign_metrics select -1, campaign_id, metric_at, impressions, clicks, spend, conversions,"
        " updated_at, false, src_epoch, src_lsn, false, _loaded_at from core.campaign_metrics"
        " where not is_deleted limit 1"  # a row of which only its delete came has no values
    )
    found = run(stack, warehouse)
    assert (found.differing, found.missing, found.gone) == (1, 1, 1)
    assert run(stack, warehouse).repaired == 0
    rebuild(warehouse, 14)
    assert_equal_to_a_recount(warehouse)
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("delete from promptads.campaign_metrics where clicks < 0")
    settle(stack)
    assert_equal_to_the_source(stack, warehouse)
    assert rebuild(warehouse, 14).mended == 0
    now = datetime.now(UTC)
    assert {one.result for one in audit_streamed(METRICS, warehouse, now, now - BACK)} == {"passed"}


def test_of_an_object_the_kept_keys_are_compared(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("""
            insert into promptads.ad_groups (campaign_id, name, target_audience)
            select id, name, '{"age_min": 18, "remarks": "call Jane"}' from promptads.campaigns limit 2
        """)
    settle(stack)
    assert run(stack, warehouse, GROUPS).repaired == 0
    admin.execute("""
        update core.ad_groups set target_audience = '{"age_min": 21}'
        where ad_group_id = (select min(ad_group_id::text)::uuid from core.ad_groups)
    """)
    assert run(stack, warehouse, GROUPS).differing == 1
    kept = warehouse.execute("select target_audience from core.ad_groups where not is_deleted").fetchall()
    assert kept == [({"age_min": 18},)] * 2


def test_an_audit_is_due_once_something_has_come(stack: Settings, warehouse: psycopg.Connection) -> None:
    assert has_changed(warehouse, METRICS)
    record(warehouse, METRICS, run(stack, warehouse), "test", datetime.now(UTC))
    assert not has_changed(warehouse, METRICS)
    with Working(stack, ADVERTISING) as work:
        wait(lambda: work.commits > 3)
    settle(stack)
    assert has_changed(warehouse, METRICS)


def test_the_audit_judges_what_the_decoder_did_not(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    admin.execute(_SPOIL)
    found = audit_streamed(METRICS, warehouse, datetime.now(UTC), datetime.now(UTC) - BACK)
    assert {one.expectation.meta.rule for one in found if one.result == "failed"} == {"impressions_negative"}
    assert run(stack, warehouse).repaired == 1

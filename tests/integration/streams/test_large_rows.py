"""Large values on the real stream: up to the limit they arrive, beyond it their row goes to quarantine."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from promptsales.monitoring.doctor import diagnose
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.audit import audit
from tests.support.campaigning import start_campaigns
from tests.support.streaming import followed, is_followed, settle
from tests.support.systems import emptied_warehouse

GROUPS = stream_contracts()["ad_groups"]
TOO_LARGE = ["target_audience_too_large"]
_ADD = """
    insert into promptads.ad_groups (campaign_id, name, target_audience)
    select id, %(name)s, jsonb_build_object('age_min', 18, 'interests', '["golf"]'::jsonb, 'remarks',
                                            repeat(%(filler)s, %(times)s))
    from promptads.campaigns limit 1 returning id
"""
AUDIENCE = {"age_min": 18, "interests": ["golf"]}


@pytest.fixture(scope="module")
def admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to the warehouse as its administrator; it is empty before the first test."""
    with emptied_warehouse(stack) as connection:
        yield connection


@pytest.fixture(scope="module")
def ads(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Follow PromptAds, and connect as its owner."""
    with followed(stack), psycopg.connect(stack.address("promptads"), autocommit=True) as connection:
        start_campaigns(stack)
        yield connection


def add(ads: psycopg.Connection, name: str, times: int, filler: str = "x") -> UUID:
    row = ads.execute(_ADD, {"name": name, "filler": filler, "times": times}).fetchone()
    assert row
    return UUID(str(row[0]))


def in_core(admin: psycopg.Connection, *keys: UUID) -> list[tuple[Any, ...]]:
    query = "select name, target_audience from core.ad_groups where ad_group_id = any(%s) order by name"
    return admin.execute(query, [list(keys)]).fetchall()


def held(admin: psycopg.Connection, key: UUID) -> list[tuple[Any, ...]]:
    query = """
        select rules, payload->>'name', payload->'target_audience', release_reason from ops.quarantine where key = %s
    """
    return admin.execute(query, [str(key)]).fetchall()


def test_two_megabytes_arrive_and_what_is_too_large_holds_nothing_up(
    stack: Settings, ads: psycopg.Connection, admin: psycopg.Connection
) -> None:
    large, too_large, after = (add(ads, *row) for row in (("large", 2_000_000), ("too large", 20_000_000), ("z", 1)))
    settle(stack)
    assert in_core(admin, large, too_large, after) == [("large", AUDIENCE), ("z", AUDIENCE)]
    # the rest of a cut value is not stored
    assert held(admin, too_large) == [(TOO_LARGE, "too large", None, None)]
    found = [(finding.where, finding.what) for finding in diagnose(stack)]
    assert found == [
        ("feed ad_groups", "1 rows broke target_audience_too_large: the value is too large for the stream")
    ]

    # an update that leaves the value unchanged does not send it
    ads.execute("update promptads.ad_groups set name = name || '!' where id = any(%s)", [[large, too_large]])
    settle(stack)
    assert in_core(admin, large, too_large) == [("large!", AUDIENCE)]
    assert held(admin, too_large) == [(TOO_LARGE, "too large!", None, None)]

    ads.execute("update promptads.ad_groups set target_audience = '{\"age_min\": 30}' where id = %s", [too_large])
    settle(stack)
    assert in_core(admin, too_large) == [("too large!", {"age_min": 30})]
    assert held(admin, too_large) == [(TOO_LARGE, "too large!", None, "repaired")]


def test_an_emoji_that_is_cut_in_two(stack: Settings, ads: psycopg.Connection, admin: psycopg.Connection) -> None:
    fits, too_large = add(ads, "fits", 2_000_000, "\U0001f600"), add(ads, "too large", 2_200_000, "\U0001f600")
    settle(stack)
    assert in_core(admin, fits, too_large) == [("fits", AUDIENCE)]
    assert held(admin, too_large) == [(TOO_LARGE, "too large", None, None)]
    assert admin.execute("select count(*) from ops.dead_letter").fetchone() == (0,)


def test_the_audit_brings_what_the_stream_cannot(
    stack: Settings, ads: psycopg.Connection, admin: psycopg.Connection
) -> None:
    key = add(ads, "audited", 6_000_000)
    settle(stack)
    assert held(admin, key) == [(TOO_LARGE, "audited", None, None)]
    with (
        psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source,
        psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse,
    ):
        found = audit(stack, GROUPS, source, warehouse, timedelta(hours=3))
    assert (found.set_aside, found.left) == ((), ())
    assert in_core(admin, key) == [("audited", AUDIENCE)]
    assert held(admin, key) == [(TOO_LARGE, "audited", None, "repaired")]

    ads.execute("update promptads.ad_groups set name = 'renamed' where id = %s", [key])
    settle(stack)
    assert in_core(admin, key) == [("renamed", AUDIENCE)]


def test_messages_of_other_programs_in_the_log_are_not_ours(
    stack: Settings, ads: psycopg.Connection, admin: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("sources_admin"), dbname="promptsales", autocommit=True) as source:
        source.execute("select pg_logical_emit_message(false, 'theirs', repeat('x', 40000000))")
    key = add(ads, "after the message", 1)
    settle(stack)
    # a connector that read the message would fail: it is larger than any record may be
    assert is_followed(stack)
    assert in_core(admin, key) == [("after the message", AUDIENCE)]
    assert admin.execute("select count(*) from ops.dead_letter").fetchone() == (0,)

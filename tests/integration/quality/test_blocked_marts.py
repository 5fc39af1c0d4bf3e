"""Marts wait for a feed while the last result of one of its rules blocks, and no longer."""

from typing import Any

import psycopg
import pytest

from promptsales.marts.plan import failed_inputs
from promptsales.specs.mart import mart
from tests.support.own_warehouse import admin, connect

__all__ = ["admin", "connect"]

Result = tuple[str, str, bool, int | None, str]

_RESULT = """
    insert into ops.check_result (feed, rule, expectation, on_fail, is_success, error, extraction, checked_at)
    values (%(feed)s, %(rule)s, 'e', %(on_fail)s, %(is_success)s, %(error)s, %(extraction)s,
            '2026-11-24T00:00Z'::date + %(at)s::interval)
"""
_LOAD = """
    insert into ops.load (feed, extraction, mode, read_at, extracted, inserted, updated, unchanged, quarantined,
                          suppressed, checks_passed, checks_failed, triggered_by, started_at)
    values ('subscriptions', %s, %s, now(), 0, 0, 0, 0, 0, 0, 0, 0, 'test', now())
"""


def judge(admin: psycopg.Connection, at: str, rule: str, is_success: bool, on_fail: str = "block", **more: Any) -> None:
    """Record a result of a rule as a check does; ``at`` is the time of day."""
    values = {"feed": "subscriptions", "rule": rule, "is_success": is_success, "on_fail": on_fail, "at": at}
    admin.execute(_RESULT, values | {"error": None, "extraction": None} | more)


def blocking(admin: psycopg.Connection) -> list[str]:
    return failed_inputs(mart("subscription_mrr_monthly"), admin)


def test_a_pass_minutes_after_a_failure_ends_the_block(admin: psycopg.Connection) -> None:
    judge(admin, "11:02", "subscription_id_twice", False)
    judge(admin, "11:02", "plan_missing", True)
    assert blocking(admin) == ["subscriptions"]
    judge(admin, "11:05", "subscription_id_twice", True)
    judge(admin, "11:05", "plan_missing", True)
    assert blocking(admin) == []


def test_a_failure_minutes_after_a_pass_blocks(admin: psycopg.Connection) -> None:
    judge(admin, "11:02", "subscription_id_twice", True)
    judge(admin, "11:05", "subscription_id_twice", False)
    assert blocking(admin) == ["subscriptions"]


@pytest.mark.parametrize("rule", ["source_has_new_columns", "volume", "price_missing", "plan_missing"])
def test_what_other_rules_say_later_lifts_no_block(admin: psycopg.Connection, rule: str) -> None:
    judge(admin, "11:02", "subscription_id_twice", False)
    judge(admin, "11:20", rule, False, "warn")
    judge(admin, "23:40", rule, True, "warn")
    assert blocking(admin) == ["subscriptions"]


def test_a_row_rule_blocks_when_it_cannot_run_and_only_then(admin: psycopg.Connection) -> None:
    judge(admin, "11:02", "plan_unknown", False, "quarantine")
    assert blocking(admin) == []
    judge(admin, "12:02", "plan_unknown", False, "quarantine", error="UndefinedFunction")
    assert blocking(admin) == ["subscriptions"]
    judge(admin, "13:02", "plan_unknown", False, "quarantine")
    assert blocking(admin) == []


def test_a_rule_that_left_the_suite_counts_until_the_suite_runs(admin: psycopg.Connection) -> None:
    judge(admin, "11:02", "a_rule_of_last_week", False)
    assert blocking(admin) == ["subscriptions"]
    judge(admin, "11:03", "subscription_id_twice", True)
    assert blocking(admin) == []


def test_a_batch_that_was_never_published_counts_until_a_later_delta_is(admin: psycopg.Connection) -> None:
    admin.execute("insert into ops.feed (feed) values ('subscriptions')")
    judge(admin, "11:02", "subscription_id_twice", False, extraction=7)
    admin.execute(_LOAD, [8, "window"])
    assert blocking(admin) == ["subscriptions"]
    admin.execute(_LOAD, [9, "delta"])
    assert blocking(admin) == []


def test_freshness_of_a_streamed_table_follows_the_last_result_of_each_rule(admin: psycopg.Connection) -> None:
    admin.execute("insert into ops.feed (feed, topic) values ('ads', 't')")
    status = "select last_batch_status from marts.data_freshness where table_name = 'ads'"
    expected = {"11:02:00": "failed", "11:02:30": "passed", "11:02:50": "failed", "11:10:00": "failed"}
    for at, is_success, rule in (
        ("11:02:00", False, "ad_id_twice"),
        ("11:02:30", True, "ad_id_twice"),
        ("11:02:50", False, "ad_id_twice"),
        ("11:10:00", True, "name_missing"),
    ):
        judge(admin, at, rule, is_success, feed="ads")
        assert admin.execute(status).fetchone() == (expected[at],)

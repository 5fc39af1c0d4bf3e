"""The doctor reports each problem with a fix, and reports nothing when all is well."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.monitoring.doctor import diagnose
from promptsales.settings import Settings
from tests.support import leads
from tests.support.streaming import followed


@pytest.fixture(scope="module", autouse=True)
def _following(stack: Settings) -> Iterator[None]:
    """Run both connectors, as after the first run."""
    with followed(stack):
        yield


@pytest.mark.usefixtures("crm", "warehouse")
def test_nothing_is_wrong(stack: Settings) -> None:
    assert list(diagnose(stack)) == []


@pytest.mark.usefixtures("crm")
def test_a_dead_letter(stack: Settings, admin: psycopg.Connection) -> None:
    admin.execute("insert into ops.dead_letter (topic, partition, message_offset, reason) values ('t', 0, 1, 'r')")
    (finding,) = diagnose(stack)
    assert finding.where == "topic t"
    assert finding.what.startswith("1 of its messages are dead letters")


@pytest.mark.usefixtures("crm", "warehouse")
def test_a_reader_that_sees_too_much(stack: Settings) -> None:
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as admin:
        admin.execute("grant usage on schema crm to etl_reader; grant select (email) on crm.leads to etl_reader")
        try:
            findings = list(diagnose(stack))
        finally:
            admin.execute("revoke all on schema crm from etl_reader; revoke all on crm.leads from etl_reader")
    expected = ("feed leads", "the pipeline's role may read 1 columns of crm.leads in clear text")
    assert [(finding.where, finding.what) for finding in findings] == [expected]


@pytest.mark.usefixtures("crm", "warehouse")
def test_a_role_that_writes_in_another_zone(stack: Settings) -> None:
    zone = "alter role promptads_owner in database promptsales {}"
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptsales"), autocommit=True) as admin:
        admin.execute(zone.format("set timezone = 'America/New_York'").encode())
        try:
            (finding,) = diagnose(stack)
        finally:
            admin.execute(zone.format("reset timezone").encode())
    assert (finding.where, finding.todo) == ("promptsales", "fix this manually")
    assert finding.what.startswith("role promptads_owner has timezone = America/New_York, so it writes local times")
    todo = """run `alter role "promptads_owner" in database "promptsales" set timezone = 'UTC'`"""
    assert finding.what.endswith(todo)


@pytest.mark.usefixtures("crm", "warehouse")
def test_marts_of_another_zone(stack: Settings, admin: psycopg.Connection) -> None:
    admin.execute(
        "insert into ops.mart (mart, touched_through, as_of_day, definition, is_empty, zone) "
        "values ('ai_cost_daily', now(), '2024-01-01', '', true, 'Asia/Kolkata')"
    )
    try:
        (finding,) = diagnose(stack)
    finally:
        admin.execute("delete from ops.mart")
    assert (finding.where, finding.what) == (
        "marts ai_cost_daily", "built by days of Asia/Kolkata; the reporting zone is now UTC",
    )  # fmt: skip
    assert finding.todo == "run `promptsales build ai_cost_daily`"


def test_a_stale_feed_a_forgotten_row_and_a_missing_table(
    stack: Settings, crm: psycopg.Connection, admin: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    admin.execute(
        "insert into ops.feed (feed, last_sync_timestamp, complete_through) "
        "values ('leads', now() - interval '5 hours', now() - interval '5 hours')"
    )
    admin.execute(
        "insert into ops.quarantine "
        "(feed, key, extraction, rules, suite_checksum, payload, is_core_stale, first_seen_at) "
        "values ('leads', 'k', 1, '{a_rule}', 'c', '{}', false, now() - interval '8 days')"
    )
    admin.execute("alter table staging.promptcrm__leads rename to elsewhere")
    try:
        findings = {(entry.where, entry.what.split(" only through")[0]) for entry in diagnose(stack)}
    finally:
        admin.execute("alter table staging.elsewhere rename to promptcrm__leads")
    assert findings == {
        ("warehouse", "differs from the files: staging.promptcrm__leads created"),
        ("feed leads", "complete"),
        ("feed leads", "1 rows broke a_rule, the first 8 days ago"),
    }

"""The warnings about feeds: rows per day, staleness, new columns at the source."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.monitoring.doctor import diagnose
from promptsales.monitoring.feed_checks import check_feeds, check_source, volumes
from promptsales.settings import Settings
from promptsales.specs.feed import contract

LEADS = contract("leads")
DAY = date(2026, 11, 23)  # a Monday
NOW = datetime(2026, 11, 24, 4, 40, tzinfo=UTC)

_LOAD = """
    insert into ops.load (
        feed, extraction, mode, window_start, read_at, extracted, inserted, updated, unchanged, quarantined, suppressed,
        checks_passed, checks_failed, triggered_by, started_at
    )
    select 'leads', coalesce(max(extraction), 0) + 1, %(mode)s, %(start)s, %(at)s, %(rows)s, %(rows)s, 0, 0, 0, 0,
           0, 0, 'test', %(at)s
    from ops.load
"""


def loads(admin: psycopg.Connection, day: date, rows: int, mode: str = "delta", is_first: bool = False) -> None:
    """Record a day of a feed: two loads, the second at the day's end."""
    start = None if is_first else datetime(2026, 1, 1, tzinfo=UTC)
    for part, at in ((rows // 2, "00:00:00"), (rows - rows // 2, "23:59:59")):
        admin.execute(_LOAD, {"mode": mode, "start": start, "at": f"{day} {at}+00", "rows": part})


def weeks(admin: psycopg.Connection, *rows: int) -> None:
    """Return the same weekday of earlier weeks, the latest first."""
    for week, count in enumerate(rows, 1):
        loads(admin, DAY - timedelta(weeks=week), count)


@pytest.fixture
def fed(admin: psycopg.Connection) -> psycopg.Connection:
    """Fill the warehouse with the feed, and with loads of other days and kinds that must not count."""
    admin.execute("insert into ops.feed (feed) values ('leads')")
    loads(admin, DAY - timedelta(days=1), 100_000)
    loads(admin, DAY + timedelta(days=1), 100_000)
    loads(admin, DAY - timedelta(weeks=13), 0)
    loads(admin, DAY, 100_000, "window")
    loads(admin, DAY, 100_000, is_first=True)
    return admin


@pytest.mark.parametrize(
    ("before", "today", "is_unusual", "is_empty"),
    [
        # median 100, median of the distances 5: usual are 100 +- 3.5 * 1.4826 * 5 = 74.1 .. 125.9
        ((95, 100, 105, 90, 110, 100, 95), 125, False, False),
        ((95, 100, 105, 90, 110, 100, 95), 126, True, False),
        ((95, 100, 105, 90, 110, 100, 95), 75, False, False),
        ((95, 100, 105, 90, 110, 100, 95), 74, True, False),
        ((95, 100, 105, 90, 110, 100, 95), 0, True, True),
        # always the same number: half as many or half again as many is still usual
        ((100,) * 6, 150, False, False),
        ((100,) * 6, 151, True, False),
        ((100,) * 6, 49, True, False),
        # so spread that only zero rows are unusual
        ((10, 200, 15, 190, 20, 180), 0, False, True),
        ((10, 200, 0, 190, 20, 180), 0, False, False),
        ((0,) * 6, 0, False, False),
        # five weeks are too few
        ((100,) * 5, 0, False, False),
    ],
)
def test_volume(fed: psycopg.Connection, before: tuple[int, ...], today: int, is_unusual: bool, is_empty: bool) -> None:
    weeks(fed, *before)
    loads(fed, DAY, today)
    assert volumes(fed, ["leads"], NOW) == [("leads", today, len(before), is_unusual, is_empty)]


def test_a_day_without_any_load_brought_nothing(fed: psycopg.Connection) -> None:
    weeks(fed, *(100,) * 6)
    assert volumes(fed, ["leads"], NOW) == [("leads", 0, 6, True, True)]


@pytest.mark.parametrize(
    ("complete_through", "last_sync_timestamp", "warned"),
    [
        (NOW - timedelta(hours=2), NOW, []),
        (NOW - timedelta(hours=2, seconds=1), NOW, ["feed_late"]),
        (NOW - timedelta(hours=4, seconds=1), NOW, ["feed_late", "feed_stale"]),
        (None, NOW - timedelta(hours=3), ["feed_late"]),  # a standby
        (None, None, ["feed_late", "feed_stale"]),  # never loaded
    ],
)
def test_staleness_is_recorded_as_warnings(
    warehouse: psycopg.Connection,
    complete_through: datetime | None,
    last_sync_timestamp: datetime | None,
    warned: list[str],
) -> None:
    warehouse.execute(
        "insert into ops.feed (feed, last_sync_timestamp, complete_through) values ('leads', %s, %s)",
        [last_sync_timestamp, complete_through],
    )
    verdicts = check_feeds(warehouse, ["leads"], NOW)
    assert [(verdict.expectation.meta.rule, verdict.result) for verdict in verdicts["leads"]] == [
        (rule, "warned" if rule in warned else "passed")
        for rule in ("volume_unusual", "volume_empty", "feed_late", "feed_stale")
    ]
    recorded = warehouse.execute(
        "select rule, on_fail from ops.check_result where not is_success order by 1"
    ).fetchall()
    assert recorded == [(rule, "warn") for rule in warned]


def test_a_new_column_is_ignored_and_told(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    assert check_source(LEADS, source, warehouse) == []
    crm.execute("alter table crm.leads add column nickname text, add column mood text")
    try:
        assert check_source(LEADS, source, warehouse) == ["nickname", "mood"]
        # other tests create this stack's connectors
        (finding,) = (finding for finding in diagnose(stack) if not finding.where.startswith("connector "))
    finally:
        crm.execute("alter table crm.leads drop column nickname, drop column mood")
    assert finding.what == "crm.leads has columns that the contract does not name and no load reads: nickname, mood"
    recorded = warehouse.execute(
        "select feed, rule, on_fail, is_success, unexpected_count from ops.check_result order by check_result_id"
    ).fetchall()
    assert recorded == [
        ("leads", "source_column_new", "warn", True, 0),
        ("leads", "source_column_new", "warn", False, 2),
    ]


def test_the_contract_knows_every_column(stack: Settings) -> None:
    with psycopg.connect(make_conninfo(stack.address("promptcrm"))) as owner:
        columns = owner.execute(
            "select column_name from information_schema.columns where table_schema = 'crm' and table_name = 'leads'"
        )
        read = {column.origin for column in LEADS.columns if column.transform != "pii_kid"}
        assert {name for (name,) in columns} == read | set(LEADS.unread)

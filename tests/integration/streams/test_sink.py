"""The effect of a batch on the warehouse, for all that the sink writes."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from promptsales.cli.main import main
from promptsales.quality.tables import audit_streamed
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.decode import UNCHANGED
from promptsales.stream.messages import Message
from promptsales.stream.sink import Sink
from tests.integration.streams.conftest import Apply
from tests.support.events import message
from tests.support.events import metric as metric_of
from tests.support.figures import assert_equal_to_a_recount, kept
from tests.support.snapshots import batch_of

A, B = str(UUID(int=1)), str(UUID(int=2))
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
NOW_US = int(NOW.timestamp() * 1_000_000)
METRICS = stream_contracts()["campaign_metrics"]
CAMPAIGNS, GROUPS = "promptads.promptads.campaigns", "promptads.promptads.ad_groups"


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def metric(number: int, campaign: str = A, at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    return metric_of(number, campaign, timestamp=iso(at), updated_at=iso(NOW), **changes)


def event(op: str, after: dict[str, Any] | None, lsn: int, **more: Any) -> Message:
    return message(op, after, lsn, at_us=more.pop("at_us", NOW_US), **more)


def deleted(number: int, lsn: int) -> Message:
    return event("d", None, lsn, before={"id": number})


def campaign(lsn: int, op: str = "u", at: datetime = NOW, **changes: Any) -> Message:
    row = {
        "id": A, "user_id": B, "name": "n", "objective": "conversions", "budget": "100.00", "currency_code": "USD",
        "status": "active", "start_date": None, "end_date": None, "created_at": iso(NOW), "updated_at": iso(NOW),
        "deleted_at": None, **changes,
    }  # fmt: skip
    return event(op, row, lsn, topic=CAMPAIGNS, at_us=int(at.timestamp() * 1_000_000))


def test_a_correction_moves_the_figures_by_the_difference(apply: Apply, warehouse: psycopg.Connection) -> None:
    later = NOW - timedelta(minutes=7)
    apply([event("c", metric(1), 1), event("c", metric(2), 2)])
    apply([event("u", metric(1, spend="2.0000", clicks=4), 3)])
    assert kept(warehouse, "campaign_minute") == [(UUID(A), NOW, 200, 14, Decimal("3.2500"), 2)]
    apply([event("u", metric(1, campaign=B, at=later, spend="2.0000", clicks=4), 4)])
    assert kept(warehouse, "campaign_minute") == [
        (UUID(A), NOW, 100, 10, Decimal("1.2500"), 1),
        (UUID(B), later, 100, 4, Decimal("2.0000"), 1),
    ]
    apply([deleted(2, 5)])
    assert kept(warehouse, "campaign_minute") == [(UUID(B), later, 100, 4, Decimal("2.0000"), 1)]
    assert_equal_to_a_recount(warehouse)


def test_an_update_right_after_the_snapshot_has_the_same_position(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([event("r", metric(1), 9)])
    apply([event("u", metric(1, spend="5.0000"), 9)])
    apply([event("r", metric(1), 9)])
    assert warehouse.execute("select spend, src_is_snapshot from core.campaign_metrics").fetchall() == [
        (Decimal("5.0000"), False)
    ]
    assert_equal_to_a_recount(warehouse)


def test_a_delete_that_comes_first_is_not_undone(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([deleted(1, 5)])
    apply([event("c", metric(1), 4)])
    assert warehouse.execute("select is_deleted, spend from core.campaign_metrics").fetchall() == [(True, None)]
    assert kept(warehouse, "campaign_minute") == []
    apply([event("c", metric(1), 6)])
    assert_equal_to_a_recount(warehouse)
    assert len(kept(warehouse, "campaign_minute")) == 1


def test_a_new_epoch_wins_though_its_log_begins_again(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([event("c", metric(1), 900)])
    apply([event("r", metric(1, spend="7.0000"), 3, epoch=2)])
    apply([event("u", metric(1, spend="1.0000"), 901)])
    assert warehouse.execute("select src_epoch, spend from core.campaign_metrics").fetchall() == [
        (2, Decimal("7.0000"))
    ]
    assert_equal_to_a_recount(warehouse)


def test_minutes_beyond_the_retention_are_not_begun_again(apply: Apply, warehouse: psycopg.Connection) -> None:
    old = NOW - timedelta(days=20)
    apply([event("c", metric(1, at=old), 1)])
    apply([event("u", metric(1, at=old, spend="0.2500"), 2)])
    assert kept(warehouse, "campaign_minute") == []
    assert kept(warehouse, "campaign_day") == [(UUID(A), old.date(), 100, 10, Decimal("0.2500"), 1)]


def test_a_bad_version_waits_in_quarantine_until_a_newer_one(apply: Apply, warehouse: psycopg.Connection) -> None:
    state = "select key, rules, is_core_stale, tries, release_reason from ops.quarantine order by quarantine_id"
    apply([event("c", metric(1), 1), event("u", metric(1, clicks=-1), 2), event("c", metric(2, spend=None), 3)])
    apply([event("u", metric(1, clicks=-1), 2)])  # delivered again: nothing changes
    assert warehouse.execute(state).fetchall() == [
        ("1", ["clicks_negative"], True, 1, None),
        ("2", ["spend_missing"], False, 1, None),
    ]
    apply([event("u", metric(1, clicks=-2, spend="-1"), 4), deleted(2, 5)])
    apply([event("u", metric(1, clicks=3), 6)])
    apply([event("u", metric(1, clicks=-2, spend="-1"), 4)])  # late: a newer version is stored
    assert warehouse.execute(state).fetchall() == [
        ("1", ["clicks_negative", "spend_negative"], True, 2, "repaired"),
        ("2", ["spend_missing"], False, 1, "repaired"),
    ]
    assert_equal_to_a_recount(warehouse)


def test_a_row_released_by_hand_counts_like_any_event(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection, release: Callable[[], str]
) -> None:
    apply([event("c", metric(1), 1), event("u", metric(1, clicks=-1), 2)])
    assert "is now in core.campaign_metrics" in release()
    assert warehouse.execute("select clicks, src_lsn from core.campaign_metrics").fetchall() == [(-1, 2)]
    assert kept(warehouse, "campaign_minute") == [(UUID(A), NOW, 100, -1, Decimal("1.2500"), 1)]
    assert_equal_to_a_recount(warehouse)
    state = "select release_reason from ops.quarantine order by quarantine_id"
    assert warehouse.execute(state).fetchall() == [("waived",)]
    # the audit does not judge a waived row again, but it judges a newer version of it
    assert failed(warehouse) == set()
    apply([event("u", metric(1, clicks=-2), 3)])
    assert warehouse.execute(state).fetchall() == [("waived",), (None,)]
    warehouse.execute("update core.campaign_metrics set src_lsn = 9")
    assert failed(warehouse) == {"clicks_negative"}


def failed(warehouse: psycopg.Connection) -> set[str]:
    now = datetime.now(UTC)
    found = audit_streamed(METRICS, warehouse, now, now - timedelta(hours=1))
    return {one.expectation.meta.rule for one in found if one.result == "failed"}


def test_a_release_writes_history_and_is_refused_whole(
    apply: Apply, warehouse: psycopg.Connection, release: Callable[[], str]
) -> None:
    apply([campaign(1, op="c"), campaign(2, status="strange")])
    assert "is now in core.campaigns" in release()
    versions = warehouse.execute("select status from core.campaigns_history order by valid_from").fetchall()
    assert versions == [("active",), ("strange",)]
    apply([event("c", metric(7, spend=None), 3)])
    assert "core.campaign_metrics cannot hold it (NotNullViolation 23502)" in release()
    assert warehouse.execute("select count(*) from core.campaign_metrics").fetchone() == (0,)
    open_rows = "select rules, is_waived from ops.quarantine where released_at is null"
    assert warehouse.execute(open_rows).fetchall() == [(["spend_missing"], False)]


@pytest.fixture
def release(
    warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], str]:
    """Return a function that releases the quarantined row by the command, and returns its output."""

    def run() -> str:
        (number,) = (
            warehouse.execute("select quarantine_id from ops.quarantine where released_at is null").fetchone() or ()
        )
        monkeypatch.setattr("sys.argv", ["promptsales", "quarantine", "release", str(number)])
        with pytest.raises(SystemExit):
            main()
        return "".join(capsys.readouterr())

    return run


def test_history_has_every_version_of_a_batch(apply: Apply, warehouse: psycopg.Connection) -> None:
    times = [NOW + timedelta(seconds=second) for second in range(4)]
    first = campaign(1, op="r", at=times[0])
    apply([first, campaign(2, at=times[1], budget="200.00"), campaign(3, at=times[1], budget="300.00")])
    apply([campaign(4, at=times[2], budget="300.00", currency_code="EUR"), campaign(5, at=times[3], status="paused")])
    query = """
        select budget::int, status, nullif(valid_from, '-infinity'), nullif(valid_to, 'infinity')
        from core.campaigns_history order by valid_from
    """
    expected = [
        (100, "active", None, times[1]),
        (300, "active", times[1], times[3]),
        (100, "paused", times[3], None),
    ]
    assert warehouse.execute(query).fetchall() == expected
    apply([first, campaign(2, at=times[1], budget="200.00")])  # delivered again and late: nothing changes
    assert warehouse.execute(query).fetchall() == expected


def test_a_large_value_that_was_left_as_it_was_stays(apply: Apply, warehouse: psycopg.Connection) -> None:
    row = {
        "id": A,
        "campaign_id": B,
        "name": "g",
        "target_audience": '{"age_min":18}',
        "created_at": iso(NOW),
        "updated_at": iso(NOW),
        "deleted_at": None,
    }
    apply([event("c", row, 1, topic=GROUPS)])
    apply(
        [
            event("u", {**row, "target_audience": '{"age_min":21}'}, 2, topic=GROUPS),
            event("u", {**row, "name": "h", "target_audience": UNCHANGED}, 3, topic=GROUPS),
        ]
    )
    assert warehouse.execute("select name, target_audience from core.ad_groups").fetchall() == [("h", {"age_min": 21})]


def test_budget_alerts_come_once_a_crossing(apply: Apply, warehouse: psycopg.Connection) -> None:
    levels = "select level_pct, spend::int, budget::int from realtime.budget_alert order by alerted_at, level_pct"
    apply([campaign(1, op="c")])
    spent = [event("c", metric(1, spend="79.0000"), 2), event("c", metric(2, spend="30.0000"), 3)]
    apply(spent)
    apply(spent)
    assert warehouse.execute(levels).fetchall() == [(80, 109, 100), (100, 109, 100)]
    apply([campaign(4, budget="500.00")])
    assert len(warehouse.execute(levels).fetchall()) == 2
    apply([campaign(5, budget="90.00")])
    assert warehouse.execute(levels).fetchall()[2:] == [(80, 109, 90), (100, 109, 90), (120, 109, 90)]
    apply([event("u", metric(2, spend="1.0000"), 6)])
    apply([event("u", metric(2, spend="20.0000"), 7)])
    assert warehouse.execute(levels).fetchall()[5:] == [(100, 99, 90)]


def test_touched_days_are_noted_on_both_sides(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([event("c", metric(1), 1)])
    warehouse.execute("delete from ops.touched")
    apply([event("c", metric(1), 1)])
    touched = "select core_table, entity_id, day from ops.touched order by 1, 2, 3"
    assert warehouse.execute(touched).fetchall() == []
    before = NOW - timedelta(days=2)
    apply([event("u", metric(1, campaign=B, at=before), 2)])
    assert warehouse.execute(touched).fetchall() == [
        ("campaign_metrics", A, NOW.date()),
        ("campaign_metrics", B, before.date()),
    ]


def test_four_workers_at_once_deadlock_never_and_count_once(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection
) -> None:
    rng = random.Random(5)  # noqa: S311 - a test's dice
    versions = [
        event(
            "u",
            metric(number, rng.choice((A, B)), NOW - timedelta(minutes=rng.randrange(5)), clicks=rng.randrange(9)),
            lsn,
        )
        for lsn, number in enumerate((rng.randrange(200) for _ in range(2000)), 1)
    ]
    apply([campaign(1, op="c")])

    async def worker(seed: int) -> None:
        mine = rng_shuffled(versions, seed)
        async with await psycopg.AsyncConnection.connect(stack.address("warehouse"), autocommit=True) as connection:
            for start in range(0, len(mine), 100):
                await Sink(connection, 14).apply(batch_of([campaign(5000 + seed + start), *mine[start : start + 100]]))

    async def all_of_them() -> None:
        await asyncio.gather(*(worker(seed) for seed in range(4)))

    asyncio.run(all_of_them())
    newest = "select count(*), sum(src_lsn) from core.campaign_metrics"
    by_key = {key_of(item): lsn for lsn, item in enumerate(versions, 1)}
    assert warehouse.execute(newest).fetchone() == (len(by_key), sum(by_key.values()))
    assert_equal_to_a_recount(warehouse)


def rng_shuffled(items: Sequence[Message], seed: int) -> list[Message]:
    rng = random.Random(seed)  # noqa: S311 - a test's dice
    found = [*items, *rng.sample(list(items), len(items) // 3)]
    rng.shuffle(found)
    return found


def key_of(item: Message) -> int:
    change = batch_of([item]).changes[0]
    return int(change.key)

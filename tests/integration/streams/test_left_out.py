"""What an event leaves out is not null: an absent column, and a large value that an update left unchanged."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from promptsales.errors import ConfigError
from promptsales.monitoring import books
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import absent_columns
from promptsales.stream.decode import UNCHANGED
from promptsales.stream.messages import Message
from promptsales.stream.waive import waive
from tests.integration.streams.conftest import Apply
from tests.integration.streams.test_sink import GROUPS, NOW, A, B, campaign, deleted, event, iso, metric
from tests.support.deciding import BY_HAND
from tests.support.figures import assert_equal_to_a_recount, kept

C = str(UUID(int=3))
CONTRACTS = stream_contracts()
GROUP = "select name, target_audience, src_lsn::int from core.ad_groups"
HELD = """
    select key, rules, payload->'name', payload->'target_audience', (payload->>'src_lsn')::int from ops.quarantine
    where released_at is null order by key
"""
HISTORY = "select name, status, budget::int from core.campaigns_history order by valid_from"
NO_ROWS: list[Any] = []


@pytest.fixture(autouse=True)
def _unmarked(warehouse: psycopg.Connection) -> Iterator[None]:
    """Remove all marks of tables before and afterwards."""
    marks = "update ops.stream_offset set absent_events = 0, absent_columns = '{}', absent_at = null"
    warehouse.execute(marks.encode())
    yield
    warehouse.execute(marks.encode())


def group(lsn: int, op: str = "u", **changes: Any) -> Message:
    row = {"id": A, "campaign_id": B, "name": "g", "target_audience": '{"age_min":18}', "created_at": iso(NOW)}
    return event(op, {**row, "updated_at": iso(NOW), "deleted_at": None, **changes}, lsn, topic=GROUPS)


def without(message: Message, *names: str) -> Message:
    """Return an event as it comes after columns were renamed at the source: the connector skips the new names."""
    value = json.loads(message.value or b"")
    return message._replace(value=json.dumps({**value, "after": _less(value["after"], names)}).encode())


def _less(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def found(warehouse: psycopg.Connection, query: str) -> list[Any]:
    return warehouse.execute(query.encode()).fetchall()


def test_an_absent_column_keeps_its_values_and_no_false_history(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([campaign(1, op="c")])
    apply([without(campaign(2, at=at(1), status="paused"), "name", "start_date")])
    apply([without(campaign(3, at=at(2), status="paused", budget="300.00"), "name"), metric_event(1, 9)])
    expected = [("n", "active", 100), ("n", "paused", 100), ("n", "paused", 300)]
    assert found(warehouse, HISTORY) == expected
    assert found(warehouse, HELD) == NO_ROWS
    apply([campaign(4, at=at(3), status="paused", budget="300.00")])  # the column has its old name again
    assert found(warehouse, HISTORY) == expected
    (mark,) = absent_columns.read_marked_topics(warehouse)
    assert mark[:3] == ("promptads.promptads.campaigns", 2, ["name", "starts_at"])
    (finding,) = books.find_absent_columns(warehouse)
    assert finding.where == "table core.campaigns"
    assert finding.what == (
        f"2 events lacked name, starts_at, the last at {mark.last_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC: "
        "existing rows keep their values, and new rows are in quarantine"
    )

    absent_columns.remove_mark(warehouse, CONTRACTS["campaigns"], datetime.now(UTC))  # as a clean audit does
    assert absent_columns.read_marked_topics(warehouse) == []


def metric_event(number: int, lsn: int, op: str = "c", **changes: Any) -> Message:
    return event(op, metric(number, **changes), lsn)


def test_a_snapshot_without_a_column(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([campaign(900, op="c")])
    read = without(campaign(3, op="r", at=at(1), budget="200.00"), "name")
    apply([read._replace(epoch=2)])
    assert found(warehouse, HISTORY) == [("n", "active", 100), ("n", "active", 200)]
    assert found(warehouse, "select name, src_epoch from core.campaigns") == [("n", 2)]


def test_a_new_row_without_a_column_waits(apply: Apply, warehouse: psycopg.Connection, stack: Settings) -> None:
    apply([without(metric_event(1, 1), "spend", "clicks"), metric_event(2, 2)])
    assert found(warehouse, "select metric_id from core.campaign_metrics") == [(2,)]
    held = "select key, rules, payload ?| '{spend,clicks}', payload ? 'impressions' from ops.quarantine"
    assert found(warehouse, held) == [("1", ["clicks_not_sent", "spend_not_sent"], False, True)]
    (number,) = found(warehouse, "select quarantine_id from ops.quarantine")[0]
    with pytest.raises(ConfigError, match="the source did not send clicks, spend"):
        waive(stack, CONTRACTS["campaign_metrics"], number, BY_HAND)
    # another column changes: the value is still unknown
    apply([without(metric_event(1, 3, op="u", impressions=50), "spend")])
    assert found(warehouse, "select rules, payload->'clicks', tries from ops.quarantine") == [
        (["spend_not_sent"], 10, 2)
    ]
    apply([without(metric_event(1, 4, op="u", impressions=60), "clicks")])
    assert found(
        warehouse, "select impressions, clicks, spend::text from core.campaign_metrics where metric_id = 1"
    ) == [(60, 10, "1.2500")]
    assert found(warehouse, "select release_reason from ops.quarantine") == [("repaired",)]
    assert_equal_to_a_recount(warehouse)


def test_figures_of_a_measurement_without_its_spend_stay(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([metric_event(1, 1), metric_event(2, 2)])
    apply([without(metric_event(1, 3, op="u", clicks=7), "spend")])
    assert [row[2:5] for row in kept(warehouse, "campaign_day")] == [(200, 17, Decimal("2.5000"))]
    assert_equal_to_a_recount(warehouse)


def test_unchanged_while_the_newest_version_is_in_quarantine(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([group(1, op="c")])
    apply([group(2, name=None, target_audience='{"age_min":30}')])
    assert found(warehouse, HELD) == [(A, ["name_missing"], None, {"age_min": 30}, 2)]
    apply([group(3, name=None, target_audience=UNCHANGED)])
    assert found(warehouse, HELD) == [(A, ["name_missing"], None, {"age_min": 30}, 3)]
    apply([group(4, name="h", target_audience=UNCHANGED)])
    assert found(warehouse, HELD) == NO_ROWS
    assert found(warehouse, GROUP) == [("h", {"age_min": 30}, 4)]


def test_what_breaks_a_rule_still_does_when_it_is_left_as_it_was(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([group(1, op="c"), group(2, target_audience="[1]"), group(3, name="h", target_audience=UNCHANGED)])
    assert found(warehouse, GROUP) == [("g", {"age_min": 18}, 1)]
    assert found(warehouse, HELD) == [(A, ["target_audience_not_an_object"], "h", [1], 3)]
    apply([group(4, name="i", target_audience=UNCHANGED)])
    assert found(warehouse, HELD) == [(A, ["target_audience_not_an_object"], "i", [1], 4)]
    apply([group(5, name="i", target_audience='{"age_min":40}'), group(6, name="j", target_audience=UNCHANGED)])
    assert found(warehouse, GROUP) == [("j", {"age_min": 40}, 6)]
    assert found(warehouse, HELD) == NO_ROWS


def test_unchanged_of_every_type(apply: Apply, warehouse: psycopg.Connection) -> None:
    left: dict[str, Any] = dict.fromkeys(
        ("name", "objective", "currency_code", "status", "budget", "user_id", "created_at"), UNCHANGED
    )
    apply([campaign(1, op="c", start_date=iso(NOW))])
    apply([campaign(2, start_date=None, **left), campaign(3, at=at(1), start_date=iso(at(5)), **left)])
    query = (
        "select name, objective, currency_code, status, budget::int, user_id, created_at, starts_at from core.campaigns"
    )
    expected = ("n", "conversions", "USD", "active", 100, UUID(B), NOW, at(5))
    assert found(warehouse, query) == [expected]
    assert len(found(warehouse, HISTORY)) == 3  # each version has its own valid_from


@pytest.mark.parametrize(
    "name", ["__debezium_unavailable_value", "\\u0000unchanged", "unchanged", '["\\u0000unchanged"]']
)
def test_no_real_value_is_taken_for_it(apply: Apply, warehouse: psycopg.Connection, name: str) -> None:
    apply([group(1, op="c", name=name), group(2, name=name, target_audience=UNCHANGED)])
    assert found(warehouse, GROUP) == [(name, {"age_min": 18}, 2)]


def test_unchanged_without_a_version_that_tells_it(apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([group(3, name="h", target_audience=UNCHANGED)])
    assert found(warehouse, "select from core.ad_groups") == NO_ROWS
    waiting = [(A, ["target_audience_not_sent"], "h", None, 3)]
    assert found(warehouse, HELD) == waiting
    assert found(warehouse, "select payload ? 'target_audience' from ops.quarantine") == [(False,)]
    # the last value is not valid in another epoch, or for a row that was deleted since
    apply([group(1, op="c", id=B), group(2, id=B, target_audience=UNCHANGED)._replace(epoch=2)])
    assert [row[:2] for row in found(warehouse, HELD)] == [waiting[0][:2], (B, ["target_audience_not_sent"])]
    apply([group(1, op="c", id=C), event("d", None, 2, topic=GROUPS, before={"id": C})])
    apply([group(3, id=C, name="h", target_audience=UNCHANGED)])
    assert found(warehouse, HELD)[2:] == [(C, ["target_audience_not_sent"], "h", None, 3)]
    assert found(warehouse, "select ad_group_id, is_deleted from core.ad_groups") == [(UUID(B), False), (UUID(C), True)]


def test_unchanged_since_a_version_that_is_a_dead_letter(apply: Apply, warehouse: psycopg.Connection) -> None:
    lost = group(2, created_at="noon")._replace(offset=5)
    apply([group(1, op="c")._replace(offset=4)])
    apply([lost, group(3, name="h", target_audience=UNCHANGED)._replace(offset=6)])
    assert found(warehouse, GROUP) == [("g", {"age_min": 18}, 1)]
    assert found(warehouse, HELD) == [(A, ["target_audience_not_sent"], "h", None, 3)]
    apply([group(4, name="i")._replace(offset=7), group(5, name="j", target_audience=UNCHANGED)._replace(offset=8)])
    assert found(warehouse, GROUP) == [("j", {"age_min": 18}, 5)]


def test_what_comes_again_or_late_changes_nothing(apply: Apply, warehouse: psycopg.Connection) -> None:
    events = [
        group(1, op="c"),
        group(2, target_audience='{"age_min":30}'),
        group(3, name="h", target_audience=UNCHANGED),
    ]
    apply(events)
    apply([events[2]])
    apply([group(4, name="i", target_audience='{"age_min":40}')])
    apply(events)
    apply([deleted(9, 9), group(2, name="late", target_audience=UNCHANGED)])
    assert found(warehouse, GROUP) == [("i", {"age_min": 40}, 4)]
    assert found(warehouse, HELD) == NO_ROWS

"""From a commit in the application to warehouse, minutes and Redis, through the real Debezium, Kafka and Faust."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import httpx
import msgspec
import psycopg
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from promptsales.kafka_address import client_properties
from promptsales.monitoring.doctor import diagnose
from promptsales.monitoring.freshness import freshness
from promptsales.monitoring.stream_status import read_connectors
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import lag
from promptsales.stream.audit import audit
from promptsales.stream.connectors import read_status
from promptsales.stream.recount import rebuild
from tests.support.campaigning import ADVERTISING, start_campaigns
from tests.support.figures import assert_equal_to_a_recount
from tests.support.streaming import assert_equal_to_the_source, followed, settle, wait
from tests.support.working import Working

METRICS = stream_contracts()["campaign_metrics"]
_MINUTES = """
    select campaign_id::text, to_char(minute at time zone 'UTC', 'YYYYMMDD"T"HH24MI'), impressions, clicks, spend,
           conversions
    from realtime.campaign_minute
"""


@pytest.fixture
def ads(stack: Settings, warehouse: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Follow PromptAds."""
    with followed(stack), psycopg.connect(stack.address("promptads"), autocommit=True) as connection:
        yield connection


def counters_of(stack: Settings) -> dict[str, dict[str, str]]:
    with redis.Redis.from_url(stack.address("redis"), decode_responses=True) as client:
        keys = [key for key in client.scan_iter("counter:campaign:*") if ":day:" not in key]
        return {key: {name: text for name, text in client.hgetall(key).items() if name != "version"} for key in keys}


def test_what_is_written_is_counted(stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    start_campaigns(stack)
    with Working(stack, ADVERTISING) as work:
        wait(lambda: work.commits > 300)
    settle(stack)
    assert_equal_to_the_source(stack, warehouse)
    assert_equal_to_a_recount(warehouse)
    wait(lambda: counters_of(stack) == expected(warehouse), 15)
    with redis.Redis.from_url(stack.address("redis")) as client:
        client.flushdb()
    # they come back without any action
    wait(lambda: counters_of(stack) == expected(warehouse), 30)
    assert {one.feed: one.state for one in freshness(warehouse) if one.is_streamed} == dict.fromkeys(
        ("campaigns", "ad_groups", "ads", "campaign_metrics", "ad_metrics", "opportunity_stage_history", "live_leads",
         "live_opportunities"), "fresh",
    )  # fmt: skip
    assert [finding for finding in diagnose(stack) if finding.where.startswith(("slot", "publ", "conn"))] == []


def expected(warehouse: psycopg.Connection) -> dict[str, dict[str, str]]:
    return {
        f"counter:campaign:{campaign}:{minute}": {
            "impressions": str(impressions), "clicks": str(clicks), "spend": str(spend),
            "conversions": str(conversions),
        }
        for campaign, minute, impressions, clicks, spend, conversions in warehouse.execute(_MINUTES)
    }  # fmt: skip


def test_completeness_moves_when_nothing_happens(stack: Settings, ads: psycopg.Connection) -> None:
    settle(stack)
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
        query = "select clock_timestamp(), complete_through from ops.feed where feed = 'ads'"
        (now, before) = warehouse.execute(query).fetchone() or (None, None)
        # no event, only Debezium's heartbeat
        wait(lambda: (warehouse.execute(query).fetchone() or (now, before))[1] > now, 30)
    assert now - before < timedelta(seconds=30)


def test_how_far_behind_it_was_is_kept(stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    start_campaigns(stack)
    settle(stack)
    for one in read_connectors(stack):
        lag.record(warehouse, one.lag, one.slot)
    noted = "select connector, slot_status, slot_bytes is null, bus_events from ops.stream_lag order by connector"
    assert warehouse.execute(noted).fetchall() == [
        ("promptads", "reserved", False, 0),
        ("promptcrm", "reserved", False, 0),
    ]
    with psycopg.connect(stack.address("warehouse_admin"), autocommit=True) as admin:
        admin.execute(
            "update ops.stream_lag set noted_at = noted_at - interval '15 days' where connector = 'promptads'"
        )
    rebuild(warehouse, 14)
    assert [row[0] for row in warehouse.execute(noted)] == ["promptcrm"]


def test_an_event_that_cannot_be_decoded(
    stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    topic = "promptads.promptads.campaign_metrics"
    producer = Producer({**client_properties(stack.address("kafka")), "acks": "all"})
    producer.produce(topic, key=b"k", value=b"\xff not json", headers={"epoch": b"1"})
    producer.flush(30)
    wait(lambda: warehouse.execute("select count(*) from ops.dead_letter").fetchone() == (1,))
    start_campaigns(stack)
    settle(stack)  # the stream continues
    assert_equal_to_the_source(stack, warehouse)
    found = warehouse.execute("select topic, message_key, message_value, epoch from ops.dead_letter").fetchall()
    assert found == [(topic, b"k", b"\xff not json", 1)]


def test_a_number_that_is_none_is_quarantined(
    stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    start_campaigns(stack)
    measure = (
        "insert into promptads.campaign_metrics (campaign_id, spend) select id, %s from promptads.campaigns limit 1"
    )
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        ads.execute(measure, ["Infinity"])  # the application's table rejects it
    ads.execute(measure, ["NaN"])
    ads.execute(measure, ["1.5"])
    settle(stack)
    assert warehouse.execute("select spend from core.campaign_metrics").fetchall() == [(Decimal("1.5000"),)]
    held = "select rules, payload->>'spend' from ops.quarantine where released_at is null"
    assert warehouse.execute(held).fetchall() == [(["spend_not_a_number"], "NaN")]
    assert_equal_to_a_recount(warehouse)
    with psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source:
        assert audit(stack, METRICS, source, warehouse, timedelta(hours=1)).repaired == 0
    ads.execute("update promptads.campaign_metrics set spend = 2 where spend = 'NaN'")
    settle(stack)
    assert_equal_to_the_source(stack, warehouse)
    assert warehouse.execute(held).fetchall() == []


def test_a_publication_that_would_stop_the_application(stack: Settings, ads: psycopg.Connection) -> None:
    ads.execute("alter table promptads.ads replica identity full")
    try:
        told = {finding.where: finding.what for finding in diagnose(stack) if finding.where.startswith("publication")}
    finally:
        ads.execute("alter table promptads.ads replica identity default")
    assert told.keys() == {"publication promptads"}
    assert "DELETE of promptads.ads by the application fails" in told["publication promptads"]


def test_a_connector_that_stands_still_is_told(stack: Settings, ads: psycopg.Connection) -> None:
    with httpx.Client(base_url=stack.address("connect"), trust_env=False) as client:
        client.put("/connectors/promptads/pause").raise_for_status()
    wait(lambda: read_status(stack, "promptads").state == "PAUSED")
    told = [(finding.what, finding.where) for finding in diagnose(stack) if finding.where.startswith("connector")]
    assert told == [("is paused", "connector promptads")]


def test_each_alert_is_sent(stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    start_campaigns(stack)
    with Working(stack, ADVERTISING) as work:
        wait(lambda: work.commits > 250)
    settle(stack)
    waiting = "select count(*) from realtime.budget_alert where sent_at is null"
    wait(lambda: warehouse.execute(waiting).fetchone() == (0,))
    written = {str(key) for (key,) in warehouse.execute("select alert_id from realtime.budget_alert")}
    assert written
    assert written <= {msgspec.json.decode(value)["alert_id"] for value in events_of(stack, "promptads.alerts.v1")}


def events_of(stack: Settings, topic: str) -> list[bytes]:
    """Return every event of a topic."""
    consumer = Consumer({**client_properties(stack.address("kafka")), "group.id": "test", "enable.auto.commit": False})
    ends = {number: consumer.get_watermark_offsets(TopicPartition(topic, number))[1] for number in range(3)}
    consumer.assign([TopicPartition(topic, number, 0) for number in ends])
    found: list[bytes] = []
    while len(found) < sum(ends.values()):
        event = consumer.poll(20)
        assert event
        assert not event.error()
        found.append(event.value() or b"")
    consumer.close()
    return found

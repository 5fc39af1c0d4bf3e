"""Events that left Kafka or were skipped before they were applied are an error until a later epoch's snapshot."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from promptsales.bus import topics
from promptsales.kafka_address import client_properties
from promptsales.settings import Settings
from promptsales.stream import gaps as stream_gaps
from promptsales.stream import lag
from promptsales.stream.batch import Batch, Offset
from promptsales.stream.gaps import Gap
from promptsales.stream.sink import Sink
from tests.support.streaming import wait

# no worker reads this topic, and no connector has this name
CONNECTOR: Any = "gaps"
TOPIC, GROUP = "gaps.crm.leads", "gaps"
AT = (TOPIC, 0)
Apply = Callable[..., list[Gap]]
_GAPS = "select gap_from, gap_to, gap_epoch from ops.stream_offset where topic = %s and gap_at is not null"


@pytest.fixture
def client(stack: Settings) -> AdminClient:
    """Return an admin client of the brokers."""
    return topics.admin(stack.address("kafka"))


@pytest.fixture
def topic(
    stack: Settings, admin: psycopg.Connection, client: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Create a topic with ten events that the warehouse has not applied; delete it afterwards."""
    monkeypatch.setattr(lag, "topics", lambda _: [TOPIC])
    monkeypatch.setattr(stream_gaps, "GROUP", GROUP)
    create(client)
    send(stack, 10)
    yield stack
    client.delete_topics([TOPIC])[TOPIC].result()
    admin.execute("delete from ops.stream_offset where topic = %s", [TOPIC])
    admin.execute("delete from ops.connector where connector = %s", [CONNECTOR])


def create(client: AdminClient) -> None:
    """Create the topic once the brokers have deleted its predecessor."""
    for _ in range(50):
        created = client.create_topics([NewTopic(TOPIC, 1)])[TOPIC]
        if created.exception() is None:
            return
    raise AssertionError(f"topic {TOPIC} was not created")


def create_again(client: AdminClient) -> None:
    before = read_id(client)
    client.delete_topics([TOPIC])[TOPIC].result()
    create(client)
    # the broker answers for a moment from what it knew before
    wait(lambda: read_id(client) not in (before, ""))


def read_id(client: AdminClient) -> str:
    """Return Kafka's own id of the topic; empty while the broker does not know it."""
    try:
        return str(client.describe_topics(TopicCollection([TOPIC]))[TOPIC].result().topic_id)
    except KafkaException:
        return ""


def send(stack: Settings, events: int) -> None:
    producer = Producer({**client_properties(stack.address("kafka")), "acks": "all", "log_level": 0})
    for _ in range(events):
        producer.produce(TOPIC, b"{}", b"{}", partition=0)
    assert producer.flush(30) == 0


def remove(client: AdminClient, before: int) -> None:
    client.delete_records([TopicPartition(*AT, before)])[TopicPartition(*AT)].result()


def reset_group(client: AdminClient, offset: int) -> None:
    groups = [ConsumerGroupTopicPartitions(GROUP, [TopicPartition(*AT, offset)])]
    client.alter_consumer_group_offsets(groups)[GROUP].result()


@pytest.fixture
def apply(topic: Settings) -> Apply:
    """Return a function that applies events as the sink does, and returns the gaps."""

    async def run(offset: Offset) -> list[Gap]:
        async with await psycopg.AsyncConnection.connect(topic.address("warehouse"), autocommit=True) as connection:
            return (await Sink(connection, 14).apply(Batch((), (), (offset,)))).gaps

    def applied(first: int, following: int, *gap: int | None) -> list[Gap]:
        return asyncio.run(run(Offset(*AT, first, following, None, None, 0, *gap)))

    return applied


def epoch_of(warehouse: psycopg.Connection, epoch: int) -> None:
    warehouse.execute(
        "insert into ops.connector (connector, epoch, system_identifier) values ('gaps', %s, '')"
        " on conflict (connector) do update set epoch = excluded.epoch",
        [epoch],
    )


def test_the_sink_sees_an_event_beyond_the_next_one(apply: Apply, admin: psycopg.Connection) -> None:
    assert apply(0, 4, None, None, 3) == []
    assert apply(2, 6, None, None, 3) == []  # some events come again
    assert apply(9, 12, None, None, 3) == [Gap(TOPIC, 0, 6, 9, 9, True)]
    assert lag.read_applied(admin, [TOPIC]) == {AT: 12}
    assert admin.execute(_GAPS, [TOPIC]).fetchall() == [(6, 9, 3)]


def test_the_sink_sees_a_jump_within_a_batch(apply: Apply, admin: psycopg.Connection) -> None:
    apply(0, 4, None, None, 3)
    assert apply(4, 20, 6, 11, 4) == [Gap(TOPIC, 0, 6, 11, 11, True)]
    assert apply(25, 30, None, None, 5) == [Gap(TOPIC, 0, 20, 25, 25, True)]
    # from the first missing event to the last, with the highest epoch
    assert admin.execute(_GAPS, [TOPIC]).fetchall() == [(6, 25, 5)]


def test_what_is_applied_already_is_no_gap(apply: Apply, admin: psycopg.Connection) -> None:
    apply(0, 50, None, None, 3)
    assert apply(10, 50, 12, 20, 3) == []
    assert admin.execute(_GAPS, [TOPIC]).fetchall() == []


def test_a_warehouse_that_knows_nothing_misses_what_came_before(apply: Apply) -> None:
    assert apply(7, 9, None, None, 1) == [Gap(TOPIC, 0, 0, 7, 7, True)]


def test_removed_records_are_found_without_a_worker(
    apply: Apply, client: AdminClient, admin: psycopg.Connection
) -> None:
    apply(0, 3, None, None, 1)
    assert stream_gaps.find_open(client, admin, CONNECTOR) == []
    remove(client, 8)
    assert stream_gaps.find_open(client, admin, CONNECTOR) == [Gap(TOPIC, 0, 3, 8, 8, True)]
    # two events wait behind the gap: a worker records it with their epoch
    assert stream_gaps.record(client, admin, CONNECTOR, is_following=True) == []


def test_removed_records_with_nothing_behind_them_are_not_waited_for(
    apply: Apply, client: AdminClient, admin: psycopg.Connection
) -> None:
    apply(0, 3, None, None, 1)
    epoch_of(admin, 2)
    remove(client, 10)
    assert stream_gaps.record(client, admin, CONNECTOR, is_following=True) == [Gap(TOPIC, 0, 3, 10, 10, False)]
    assert lag.count_waiting(lag.read_ends(client, [TOPIC]), lag.read_applied(admin, [TOPIC])) == 0
    assert admin.execute(_GAPS, [TOPIC]).fetchall() == [(3, 10, 2)]
    assert stream_gaps.record(client, admin, CONNECTOR, is_following=True) == []


def test_a_group_that_was_reset_forward_skips_events(
    apply: Apply, client: AdminClient, admin: psycopg.Connection
) -> None:
    apply(0, 3, None, None, 1)
    reset_group(client, 3)
    assert stream_gaps.find_open(client, admin, CONNECTOR) == []
    reset_group(client, 2)  # as if a worker was killed before it committed its offset
    assert stream_gaps.find_open(client, admin, CONNECTOR) == []
    reset_group(client, 10)
    assert stream_gaps.find_open(client, admin, CONNECTOR) == [Gap(TOPIC, 0, 3, 10, 10, False)]


@pytest.mark.parametrize("events", [0, 2, 30])
def test_a_topic_created_again_lost_nobody_knows_what(
    apply: Apply, client: AdminClient, admin: psycopg.Connection, topic: Settings, events: int
) -> None:
    apply(0, 10, None, None, 1)
    stream_gaps.record(client, admin, CONNECTOR, is_following=True)
    assert not stream_gaps.has_new_topic(client, admin, CONNECTOR)
    create_again(client)
    send(topic, events)
    assert stream_gaps.has_new_topic(client, admin, CONNECTOR)
    gaps = stream_gaps.record(client, admin, CONNECTOR, is_following=True)
    at = 10 if events > 10 else 0
    assert gaps == [Gap(TOPIC, 0, 10, None, at, events > at)]
    assert lag.read_applied(admin, [TOPIC]) == {AT: at}
    assert not stream_gaps.has_new_topic(client, admin, CONNECTOR)


def test_only_a_later_epoch_closes_a_gap(apply: Apply, admin: psycopg.Connection) -> None:
    apply(0, 4, None, None, 3)
    apply(9, 12, None, None, 4)
    assert stream_gaps.close(admin, CONNECTOR, 4) == [Gap(TOPIC, 0, 4, 9, 12, True)]
    assert stream_gaps.close(admin, CONNECTOR, None) == [Gap(TOPIC, 0, 4, 9, 12, True)]
    assert stream_gaps.close(admin, CONNECTOR, 5) == []
    assert admin.execute(_GAPS, [TOPIC]).fetchall() == []


def test_a_gap_names_what_is_missing_and_the_way_out() -> None:
    gap = Gap(TOPIC, 0, 4, 9, 12, True)
    assert str(gap) == (
        "partition 0 of topic gaps.crm.leads lost offsets 4 to 8 (5 events): Kafka removed them, or the consumer "
        "group skipped them, before they were applied"
    )
    assert str(gap._replace(following=None)) == (
        "partition 0 of topic gaps.crm.leads was deleted and created again after 4 events were applied"
    )
    assert stream_gaps.describe_fix(CONNECTOR) == (
        "run `promptsales connectors snapshot gaps`: it reads all rows again under a new epoch"
    )

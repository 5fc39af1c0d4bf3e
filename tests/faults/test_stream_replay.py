"""Events delivered twice, out of order, or all of them again on the real broker change nothing."""

import random
from collections.abc import Iterator

import psycopg
import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Message, Producer, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from local.supervisor import Supervisor
from promptsales.bus import topics
from promptsales.kafka_address import client_properties
from promptsales.settings import Settings
from promptsales.stream import connectors, lag
from tests.support.campaigning import CARELESS
from tests.support.faults import set_group
from tests.support.selling import SELLING
from tests.support.streaming import settle, wait
from tests.support.wholeness import amiss
from tests.support.working import Working

GROUP, WORKER = "promptsales-stream", "stream-0"
TOPICS = [topic for name in connectors.names() for topic in lag.topics(name)]


@pytest.fixture
def emptied(stack: Settings) -> None:
    """Delete the events of earlier tests, whose rows no longer exist in sources or warehouse."""
    client = topics.admin(stack.address("kafka"))
    found = [TopicPartition(*at, end) for at, end in lag.read_ends(client, TOPICS).items()]
    for done in client.delete_records(found).values():
        done.result()


@pytest.mark.usefixtures("emptied", "following")
def test_duplicates_in_disorder_and_every_topic_again(stack: Settings) -> None:
    with Working(stack, CARELESS) as ads, Working(stack, SELLING):
        wait(lambda: ads.commits > 150)
        # older events of other partitions come after it, now and in the replay
        with psycopg.connect(stack.address("promptads"), autocommit=True) as source:
            source.execute("truncate promptads.campaign_metrics, promptads.ad_metrics")
        wait(lambda: ads.commits > 300)
    settle(stack)
    events = list(events_of(stack))
    assert len(events) > 1000
    send_again(stack, events)
    wait(lambda: not waiting(stack))
    assert amiss(stack) == []
    with Working(stack, CARELESS) as ads, Working(stack, SELLING):
        start_anew(stack)
        wait(lambda: ads.commits > 100)
    settle(stack)
    wait(lambda: not waiting(stack))
    assert amiss(stack) == []


def events_of(stack: Settings) -> Iterator[Message]:
    """Return every event of every topic of the stream."""
    ends = lag.read_ends(topics.admin(stack.address("kafka")), TOPICS)
    consumer = Consumer({
        **client_properties(stack.address("kafka")), "group.id": "replay", "enable.auto.commit": False,
        "enable.partition.eof": True, "auto.offset.reset": "earliest",
    })  # fmt: skip
    consumer.assign([TopicPartition(*at, 0) for at in ends])
    left = len(ends)
    while left:
        event = consumer.poll(30)
        assert event
        if event.error():
            left -= 1
        else:
            yield event
    consumer.close()


def send_again(stack: Settings, events: list[Message]) -> None:
    """Send three of ten events a second time, unchanged and in random order."""
    dice = random.Random(3)  # noqa: S311 - a test's dice
    producer = Producer({**client_properties(stack.address("kafka")), "acks": "all"})
    for event in dice.sample(events, len(events) * 3 // 10):
        topic, partition = event.topic(), event.partition()
        assert topic is not None
        assert partition is not None
        producer.produce(topic, event.value(), event.key(), partition=partition, headers=event.headers())
    assert producer.flush(30) == 0


def start_anew(stack: Settings) -> None:
    """Reset the workers' group to the first event of each topic."""
    client, supervisor = topics.admin(stack.address("kafka")), Supervisor(stack.state)
    supervisor.stop({WORKER}, 60)
    set_group(client, begins(stack))
    supervisor.start(WORKER)


def begins(stack: Settings) -> dict[lag.Partition, int]:
    """Return the first offset of each partition."""
    client = topics.admin(stack.address("kafka"))
    wanted = {
        TopicPartition(*at): OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        for at in lag.read_ends(client, TOPICS)
    }
    return {(at.topic, at.partition): found.result().offset for at, found in client.list_offsets(wanted).items()}


def waiting(stack: Settings) -> int:
    """Return how many events the group has not committed yet."""
    client = topics.admin(stack.address("kafka"))
    (found,) = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)]).values()
    done = {(at.topic, at.partition): at.offset for at in found.result().topic_partitions}
    first = begins(stack)
    ends = lag.read_ends(client, TOPICS)
    return sum(end - max(first[at], done.get(at, 0)) for at, end in ends.items())

"""The brokers serve nobody without a login, and each login only for what it needs."""

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition, errors
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from promptsales.bus import rights, topics
from promptsales.errors import TerminalError
from promptsales.kafka_address import client_properties
from promptsales.provision import provision_topics
from promptsales.settings import HOST, Settings
from promptsales.specs.rights import Right
from promptsales.targets import Port
from tests.support.streaming import wait

CHANGES, DEAD, CONTENT, ALERTS = (
    "promptcrm.crm.leads", "promptcrm.crm.leads.dlq", "promptcontent.prompt_history", "promptads.alerts.v1"
)  # fmt: skip
TOPICS = (CHANGES, DEAD, CONTENT, ALERTS, "connect.config", "promptcrm.message")
# login -> the topics of these that it may read, and those that it may write
PARTIES: dict[str, tuple[set[str], set[str]]] = {
    "connect": ({"connect.config"}, {"connect.config", CHANGES, "promptcrm.message"}),
    "stream": ({CHANGES}, {DEAD}),
    "content": ({CONTENT}, {CONTENT}),
    "alerts": (set(), {ALERTS}),
}
REFUSED = "TOPIC_AUTHORIZATION_FAILED"
QUIET = {"log_level": 0, "socket.timeout.ms": 5000, "topic.metadata.refresh.interval.ms": -1}


def login(stack: Settings, party: str) -> dict[str, str]:
    address = stack.local_kafka(f"kafka_{party}")
    return client_properties(address)


def code(call: Callable[[], object]) -> str:
    """Return the name of the error that a call gets from a broker."""
    with pytest.raises(KafkaException) as caught:
        call()
    return str(caught.value.args[0].name())


async def read_error(options: dict[str, str], topic: str) -> str | None:
    """Return why a client may not read a topic; None if it may."""
    unknown = AdminClient({**options, **QUIET}).list_topics(topic, timeout=10).topics[topic].error
    if unknown:
        return unknown.name()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=options["bootstrap.servers"], security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512", sasl_plain_username=options["sasl.username"],
        sasl_plain_password=options["sasl.password"], auto_offset_reset="earliest",
    )  # fmt: skip
    partition = TopicPartition(topic, 0)
    await consumer.start()
    try:
        consumer.assign([partition])
        consumer.seek(partition, 0)
        await consumer.getmany(partition, timeout_ms=1000)
    except errors.TopicAuthorizationFailedError:
        return REFUSED
    finally:
        await consumer.stop()
    return None


async def read_errors(options: dict[str, str]) -> dict[str, str | None]:
    answers = await asyncio.gather(*(read_error(options, topic) for topic in TOPICS))
    return dict(zip(TOPICS, answers, strict=True))


def write_error(options: dict[str, str], topic: str) -> str | None:
    """Return why a client may not write a topic; None if it may: then it has written what every reader ignores."""
    answers: list[KafkaError | None] = []
    producer = Producer({**options, **QUIET, "message.timeout.ms": 5000, "acks": "all"})
    value = b'{"alert_id": "attack"}' if topic == ALERTS else None
    producer.produce(topic, key=b"attack", value=value, on_delivery=lambda error, _: answers.append(error))
    producer.flush(10)
    (error,) = answers
    return error.name() if error else None


@pytest.mark.parametrize(
    "options",
    [{},
     {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "promptsales_operator",
      "sasl.password": "guessed"},
     {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "promptsales_stream",
      "sasl.password": "guessed"}],
    ids=["none", "a guessed password of the operator", "a guessed password"],
)  # fmt: skip
@pytest.mark.parametrize("port", ["kafka", "kafka_controller"])
def test_nobody_is_served_without_a_login(stack: Settings, port: Port, options: dict[str, str]) -> None:
    client = AdminClient({"bootstrap.servers": f"{HOST}:{stack.port(port)}", **options, **QUIET})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=3)


@pytest.mark.parametrize("party", PARTIES)
def test_a_login_reads_and_writes_only_its_topics(stack: Settings, party: str) -> None:
    options, (reads, writes) = login(stack, party), PARTIES[party]
    assert asyncio.run(read_errors(options)) == {topic: None if topic in reads else REFUSED for topic in TOPICS}
    with ThreadPoolExecutor(len(TOPICS)) as pool:
        answers = list(pool.map(lambda topic: write_error(options, topic), TOPICS))
    assert dict(zip(TOPICS, answers, strict=True)) == {topic: None if topic in writes else REFUSED for topic in TOPICS}


@pytest.mark.parametrize("party", PARTIES)
def test_a_login_changes_nothing_else(stack: Settings, party: str) -> None:
    client = topics.admin(stack.local_kafka(f"kafka_{party}"))
    name = f"scratch.{uuid.uuid4().hex}"
    visible = set(client.list_topics(timeout=10).topics)
    assert visible.isdisjoint({topic for topic in TOPICS if topic not in set().union(*PARTIES[party])})
    assert code(client.create_topics([NewTopic(name, 1)])[name].result) == REFUSED
    assert code(client.delete_topics([CHANGES])[CHANGES].result) == REFUSED
    group = "promptsales-stream" if party != "stream" else "promptcontent"
    assert code(client.delete_consumer_groups([group])[group].result) == "GROUP_AUTHORIZATION_FAILED"
    with pytest.raises(TerminalError, match="the client lacks the permission"):
        rights.apply(client, rights.plan(topics.admin(stack.address("kafka"))) or rights.plan(client))
    with pytest.raises(TerminalError, match="the client lacks the permission"):
        rights.set_passwords(client, {"promptsales_operator": "attack"})


def test_a_right_that_the_file_does_not_name_is_revoked(stack: Settings) -> None:
    client = topics.admin(stack.address("kafka"))
    right = Right("promptsales_alerts", "topic", CHANGES, "write")
    stranger = right._replace(user="somebody")
    rights.apply(client, [rights.RightChange("grant", "", rights.to_binding(each)) for each in (right, stranger)])
    wait(lambda: write_error(login(stack, "alerts"), CHANGES) is None, 10)
    changes = [(change.system, change.what) for change in provision_topics(stack.address("kafka"))]
    assert changes == [("kafka", f"promptsales_alerts: write topic {CHANGES} revoked")]
    wait(lambda: write_error(login(stack, "alerts"), CHANGES) == REFUSED, 10)
    # somebody else's rights are not ours to revoke
    rights.apply(client, [rights.RightChange("revoke", "", rights.to_binding(stranger))])
    assert provision_topics(stack.address("kafka")) == []

"""Topics as code: ``plan`` compares ``schemas/kafka/topics.yml`` with the brokers, ``apply`` carries out the plan.

Topics are never deleted, because their events may exist nowhere else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ re-exports without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from pydantic import BaseModel, ConfigDict

from promptsales.failures.kafka import kafka_errors, kafka_failure
from promptsales.kafka_address import client_properties
from promptsales.specs.topic import Topics, read_topics

_TIMEOUT_S = 20


class ExistingTopic(NamedTuple):
    """A topic on the brokers."""

    partitions: int
    config: Mapping[str, str]


class TopicChange(BaseModel):
    """A change to a topic; ``unmanaged`` and ``shrink`` are only reported."""

    model_config = ConfigDict(frozen=True)

    action: Literal["create", "grow", "configure", "shrink", "unmanaged"]
    topic: str
    what: str
    partitions: int = 0
    config: dict[str, str] = {}

    @property
    def is_warning(self) -> bool:
        """Return whether somebody has to act: keys move to other partitions, or nothing was done."""
        return self.action in ("grow", "shrink", "unmanaged")


class _Admin(AdminClient):
    """A client that keeps its address, from which error messages take hosts, ports and user."""

    def __init__(self, address: str) -> None:
        super().__init__({
            **client_properties(address), "log_level": 0, "socket.connection.setup.timeout.ms": 5000,
        })  # fmt: skip
        self.address = address


def admin(address: str) -> AdminClient:
    """Return a client of the brokers that does not log to the terminal."""
    return _Admin(address)


def errors(what: str, client: AdminClient) -> AbstractContextManager[None]:
    """Turn the errors of a client's calls into transient and terminal errors, as ``kafka_errors`` does."""
    return kafka_errors(what, client.address if isinstance(client, _Admin) else "")


def plan(client: AdminClient, topics: Topics | None = None) -> list[TopicChange]:
    """Return the changes that bring the brokers in line with the topics, by default those of the file.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when a broker rejects a request.
    """
    expected = topics or read_topics()
    return list(differences(expected, _read_existing(client, expected)))


def differences(expected: Topics, existing: Mapping[str, ExistingTopic]) -> Iterator[TopicChange]:
    """Yield the differences between the expected and the existing topics."""
    for name, topic in expected.topics.items():
        config = expected.config(name)
        if name not in existing:
            what = f"created with {topic.partitions} partitions"
            yield TopicChange(action="create", topic=name, what=what, partitions=topic.partitions, config=config)
            continue
        yield from _compare_partitions(name, topic.partitions, existing[name].partitions)
        if changed := {key: value for key, value in config.items() if existing[name].config.get(key) != value}:
            what = ", ".join(f"{key} = {value}" for key, value in changed.items())
            yield TopicChange(action="configure", topic=name, what=what, config=changed)
    for name in sorted(existing.keys() - expected.topics.keys() - expected.known):
        yield TopicChange(action="unmanaged", topic=name, what="not in schemas/kafka/topics.yml; it is not changed")


def _compare_partitions(name: str, expected: int, existing: int) -> Iterator[TopicChange]:
    if expected > existing:
        what = f"{existing} to {expected} partitions: keys move, and meanwhile events of a key may be read out of order"
        yield TopicChange(action="grow", topic=name, what=what, partitions=expected)
    elif expected < existing:
        what = f"has {existing} partitions, expected {expected}: Kafka cannot remove partitions"
        yield TopicChange(action="shrink", topic=name, what=what)


def apply(client: AdminClient, changes: Iterable[TopicChange]) -> None:
    """Carry out the changes of a plan; running it concurrently does no harm.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when a broker rejects a request.
    """
    by_action: dict[str, list[TopicChange]] = {}
    for change in changes:
        by_action.setdefault(change.action, []).append(change)
    new = [
        NewTopic(change.topic, num_partitions=change.partitions, config=change.config)
        for change in by_action.get("create", [])
    ]
    grown = [NewPartitions(change.topic, change.partitions) for change in by_action.get("grow", [])]
    configured = [_resource(change) for change in by_action.get("configure", [])]
    _call("create topics", client.create_topics, new, KafkaError.TOPIC_ALREADY_EXISTS)
    _call("add partitions", client.create_partitions, grown, KafkaError.INVALID_PARTITIONS)
    _call("configure topics", client.incremental_alter_configs, configured)


def _resource(change: TopicChange) -> ConfigResource:
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in change.config.items()
    ]
    return ConfigResource(ResourceType.TOPIC, change.topic, incremental_configs=entries)


def _read_existing(client: AdminClient, expected: Topics) -> dict[str, ExistingTopic]:
    with errors("list topics", client):
        topics = client.list_topics(timeout=_TIMEOUT_S).topics
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics.keys() & expected.topics.keys()]
    answers = _call("read topics", client.describe_configs, resources)
    configs = {
        resource.name: {key: entry.value for key, entry in answer.items()} for resource, answer in answers.items()
    }
    return {name: ExistingTopic(len(topic.partitions), configs.get(name, {})) for name, topic in topics.items()}


def _call(
    what: str, method: Callable[..., dict[Any, Future[Any]]], items: list[Any], harmless: int | None = None
) -> dict[Any, Any]:
    """Send all requests at once, wait for each answer, and return the answers; ignore the error code ``harmless``."""
    if not items:
        return {}
    answers = {}
    for item, future in method(items, request_timeout=_TIMEOUT_S).items():
        try:
            answers[item] = future.result()
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.code() == harmless:
                continue
            raise kafka_failure(f"{what}: {item}", reason) from None
    return answers

"""The event bus: topics as code. ``plan`` compares ``schemas/kafka/topics.yml`` with the brokers, ``apply`` does it.

Nothing is ever deleted: a topic holds events that may be in no other place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import cache
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
from pydantic import BaseModel, ConfigDict, Field

from promptsales.documents import Document, read_document
from promptsales.failures.kafka import kafka_errors, kafka_failure
from promptsales.settings import ROOT

_TIMEOUT_S = 20


class Topic(Document):
    """A topic as it shall be; ``config`` is Kafka's own vocabulary, on top of the file's defaults."""

    partitions: int = Field(ge=1)
    config: dict[str, str | int] = Field(default={})


class Topics(Document):
    """Every topic, and those that belong to programs that make them by themselves."""

    defaults: dict[str, str | int]
    topics: dict[str, Topic]
    known: frozenset[str]

    def config(self, name: str) -> dict[str, str]:
        """A topic's whole configuration."""
        return {key: str(value) for key, value in (self.defaults | self.topics[name].config).items()}


class Found(NamedTuple):
    """A topic as it is."""

    partitions: int
    config: Mapping[str, str]


class TopicChange(BaseModel):
    """What is to be done about a topic; ``unmanaged`` and ``shrink`` are for a person to do."""

    model_config = ConfigDict(frozen=True)

    action: Literal["create", "grow", "configure", "shrink", "unmanaged"]
    topic: str
    what: str
    partitions: int = 0
    config: dict[str, str] = {}

    @property
    def is_warning(self) -> bool:
        """Whether somebody should look: keys move, or nothing was done."""
        return self.action in ("grow", "shrink", "unmanaged")


@cache
def read_topics() -> Topics:
    """What the file says.

    Raises:
        ConfigError: when it says something that cannot be.
    """
    return read_document(ROOT / "schemas" / "kafka" / "topics.yml", Topics)


class _Admin(AdminClient):
    """A client that remembers where its brokers are, for messages."""

    def __init__(self, address: str) -> None:
        super().__init__({
            "bootstrap.servers": address, "log_level": 0, "socket.connection.setup.timeout.ms": 5000,
        })  # fmt: skip
        self.address = address


def admin(address: str) -> AdminClient:
    """A client of the brokers; what it has to say it says in its errors, not on the terminal."""
    return _Admin(address)


def errors(what: str, client: AdminClient) -> AbstractContextManager[None]:
    """Sort the errors of a client's calls.

    Raises:
        TransientError, TerminalError: as ``kafka_errors``.
    """
    return kafka_errors(what, client.address if isinstance(client, _Admin) else "")


def plan(client: AdminClient, wanted: Topics | None = None) -> list[TopicChange]:
    """What ``apply`` would do.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when one refuses.
    """
    goal = wanted or read_topics()
    return list(differences(goal, _found(client, goal)))


def differences(goal: Topics, found: Mapping[str, Found]) -> Iterator[TopicChange]:
    """What differs between the topics as they shall be and as they are."""
    for name, topic in goal.topics.items():
        config = goal.config(name)
        if name not in found:
            what = f"created with {topic.partitions} partitions"
            yield TopicChange(action="create", topic=name, what=what, partitions=topic.partitions, config=config)
            continue
        yield from _partitions(name, topic.partitions, found[name].partitions)
        if changed := {key: value for key, value in config.items() if found[name].config.get(key) != value}:
            what = ", ".join(f"{key} = {value}" for key, value in changed.items())
            yield TopicChange(action="configure", topic=name, what=what, config=changed)
    for name in sorted(found.keys() - goal.topics.keys() - goal.known):
        yield TopicChange(action="unmanaged", topic=name, what="no file names it; it is left alone")


def _partitions(name: str, wanted: int, found: int) -> Iterator[TopicChange]:
    if wanted > found:
        what = f"{found} to {wanted} partitions: keys move, events of one key may be read out of order meanwhile"
        yield TopicChange(action="grow", topic=name, what=what, partitions=wanted)
    elif wanted < found:
        what = f"has {found} partitions, {wanted} are wanted: Kafka cannot take partitions away"
        yield TopicChange(action="shrink", topic=name, what=what)


def apply(client: AdminClient, changes: Iterable[TopicChange]) -> None:
    """Do what a plan says; another that does the same at the same time does no harm.

    Raises:
        TransientError: when no broker answers.
        TerminalError: when one refuses.
    """
    todo: dict[str, list[TopicChange]] = {}
    for change in changes:
        todo.setdefault(change.action, []).append(change)
    new = [NewTopic(item.topic, num_partitions=item.partitions, config=item.config) for item in todo.get("create", [])]
    grown = [NewPartitions(item.topic, item.partitions) for item in todo.get("grow", [])]
    configured = [_resource(item) for item in todo.get("configure", [])]
    _call("create topics", client.create_topics, new, KafkaError.TOPIC_ALREADY_EXISTS)
    _call("add partitions", client.create_partitions, grown, KafkaError.INVALID_PARTITIONS)
    _call("configure topics", client.incremental_alter_configs, configured)


def _resource(change: TopicChange) -> ConfigResource:
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in change.config.items()
    ]
    return ConfigResource(ResourceType.TOPIC, change.topic, incremental_configs=entries)


def _found(client: AdminClient, goal: Topics) -> dict[str, Found]:
    with errors("list topics", client):
        there = client.list_topics(timeout=_TIMEOUT_S).topics
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in there.keys() & goal.topics.keys()]
    answers = _call("read topics", client.describe_configs, asked)
    configs = {asked.name: {key: entry.value for key, entry in answer.items()} for asked, answer in answers.items()}
    return {name: Found(len(topic.partitions), configs.get(name, {})) for name, topic in there.items()}


def _call(
    what: str, method: Callable[..., dict[Any, Future[Any]]], items: list[Any], harmless: int | None = None
) -> dict[Any, Any]:
    """Ask for all at once and wait for each answer."""
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

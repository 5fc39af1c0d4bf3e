"""Read ``schemas/kafka/rights.yml``: the parties that log in to the brokers, and what each may do there."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal, NamedTuple

from pydantic import Field

from promptsales.documents import Document, read_document
from promptsales.errors import ConfigError
from promptsales.settings import ROOT
from promptsales.specs.topic import read_topics

Operation = Literal["create", "describe_configs", "read", "write"]


class Right(NamedTuple):
    """What a login may do on one topic or with one consumer group; reading and writing include describing."""

    user: str
    resource: Literal["topic", "group"]
    name: str
    operation: Operation

    def __str__(self) -> str:
        return f"{self.user}: {self.operation} {self.resource} {self.name}"


class Party(Document):
    """A login and its topics, as regular expressions."""

    description: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    owns: tuple[str, ...] = Field(default=(), description="topics that it creates, reads and writes")
    groups: tuple[str, ...] = Field(default=(), description="consumer groups that it joins")


class Rights(Document):
    """The logins of the brokers."""

    operator: str
    parties: dict[str, Party]

    @property
    def all(self) -> frozenset[Right]:
        """The rights of all parties.

        Raises:
            ConfigError: when a topic's regular expression matches no topic.
        """
        return frozenset(right for user, party in self.parties.items() for right in _rights_of(user, party))


def _rights_of(user: str, party: Party) -> Iterator[Right]:
    verbs: dict[Operation, Iterable[str]] = {
        "read": (*party.reads, *party.owns),
        "write": (*party.writes, *party.owns),
        "create": party.owns,
        "describe_configs": party.owns,
    }
    for operation, patterns in verbs.items():
        for pattern in patterns:
            yield from (Right(user, "topic", name, operation) for name in _match(user, pattern))
    for group in party.groups:
        yield Right(user, "group", group, "read")


def _match(user: str, pattern: str) -> list[str]:
    topics = read_topics()
    names = [name for name in (*topics.topics, *topics.known) if re.fullmatch(pattern, name)]
    if not names:
        raise ConfigError(
            f"schemas/kafka/rights.yml: {user}: {pattern!r} matches no topic of topics.yml; correct it or add the topic"
        )
    return names


@cache
def read_rights() -> Rights:
    """Return the rights of the file.

    Raises:
        ConfigError: when the file is invalid.
    """
    return read_document(ROOT / "schemas" / "kafka" / "rights.yml", Rights)

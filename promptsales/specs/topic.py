"""Read ``schemas/kafka/topics.yml``: the definition of each topic that the product manages."""

from functools import cache

from pydantic import Field

from promptsales.documents import Document, read_document
from promptsales.settings import ROOT


class Topic(Document):
    """The definition of a topic; ``config`` holds Kafka's settings, which override the file's defaults."""

    partitions: int = Field(ge=1)
    config: dict[str, str | int] = Field(default={})


class Topics(Document):
    """The definitions of all topics; ``known`` topics are created by other programs."""

    defaults: dict[str, str | int]
    topics: dict[str, Topic]
    known: frozenset[str]

    def config(self, name: str) -> dict[str, str]:
        """Return a topic's whole configuration."""
        return {key: str(value) for key, value in (self.defaults | self.topics[name].config).items()}


@cache
def read_topics() -> Topics:
    """Return the topics of the file.

    Raises:
        ConfigError: when the file is invalid.
    """
    return read_document(ROOT / "schemas" / "kafka" / "topics.yml", Topics)

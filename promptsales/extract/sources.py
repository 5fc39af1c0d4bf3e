"""What a feed is read from, opened and handed over, and the reader that fits it."""

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import psycopg

from promptsales.errors import ConfigError
from promptsales.extract.relation import RelationReader
from promptsales.extract.view import ViewReader
from promptsales.feeds.reader import Reader
from promptsales.hashing.hashes import Key
from promptsales.specs.feed import Contract

if TYPE_CHECKING:
    from promptsales.extract.mongo.reader import Content


class Hashing(NamedTuple):
    """A PostgreSQL source where nothing may be created, and the key its rows are hashed with here."""

    connection: psycopg.Connection
    key: Key


# which of them a feed takes follows from its contract: path and hash_at
Source: TypeAlias = "psycopg.Connection | Hashing | Content"


def reader_of(contract: Contract, source: Source) -> Reader:
    """The reader of one extraction.

    Raises:
        ConfigError: when the source is not of the kind that the contract asks for.
    """
    if contract.path == "change_stream":
        # the drivers of MongoDB and Kafka take their time to import, which no other feed shall pay
        from promptsales.extract.mongo.reader import Content, ContentReader

        if isinstance(source, Content):
            return ContentReader(contract, source)
    elif contract.hash_at == "extract" and isinstance(source, Hashing):
        source.connection.autocommit = True
        return RelationReader(contract, source.connection, source.key)
    elif contract.hash_at == "source" and isinstance(source, psycopg.Connection):
        source.autocommit = True
        return ViewReader(contract, source)
    raise ConfigError(
        f"feed {contract.table}: {type(source).__name__} does not fit path {contract.path}, hash_at {contract.hash_at}"
    )

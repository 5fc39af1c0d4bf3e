"""The kinds of source that a feed is read from, and the reader for each."""

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
    """A PostgreSQL source without hashing views, and the key with which the pipeline hashes its rows."""

    connection: psycopg.Connection
    key: Key


# path and hash_at of the contract determine the kind
Source: TypeAlias = "psycopg.Connection | Hashing | Content"


def make_reader(contract: Contract, source: Source) -> Reader:
    """Return the reader for one extraction.

    Raises:
        ConfigError: when the source is not of the kind that the contract requires.
    """
    if contract.path == "change_stream":
        # the drivers of MongoDB and Kafka are slow to import
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

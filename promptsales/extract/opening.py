"""Opening what a feed is read from, with the addresses and the key of the settings."""

from collections.abc import Iterator
from contextlib import contextmanager

from promptsales.connections import connected, mongo
from promptsales.extract.sources import Hashing, Source
from promptsales.hashing.hashes import active_key
from promptsales.settings import Settings
from promptsales.specs.feed import Contract


@contextmanager
def opened(settings: Settings, contract: Contract) -> Iterator[Source]:
    """The source of a feed, closed at the end.

    Raises:
        TransientError: when nothing answers there.
        SourceRefused: when the feed is hashed here and there is no key.
        ConfigError: for a key that is weak or that others may read.
    """
    address = contract.source.etl_connection
    if contract.path == "change_stream":
        from promptsales.extract.mongo.reader import Content

        key = active_key(settings.state / "secrets")
        with mongo(settings, address) as client:
            yield Content(client, settings.address("kafka"), key)
        return
    with connected(settings, address) as connection:
        if contract.hash_at == "extract":
            yield Hashing(connection, active_key(settings.state / "secrets"))
        else:
            yield connection

"""Open the source of a feed with the addresses and the key of the settings."""

from collections.abc import Iterator
from contextlib import contextmanager

from promptsales.connections import connected, mongo
from promptsales.extract.sources import Hashing, Source
from promptsales.hashing.hashes import active_key
from promptsales.settings import Settings
from promptsales.specs.feed import Contract


@contextmanager
def open_source(settings: Settings, contract: Contract) -> Iterator[Source]:
    """Open the source of a feed, and close it at the end.

    Raises:
        TransientError: when the server does not answer.
        SourceRefused: when the pipeline hashes the feed and there is no key.
        ConfigError: when the key is weak or other users may read its file.
    """
    address = contract.source.etl_connection
    if contract.path == "change_stream":
        from promptsales.extract.mongo.reader import Content

        key = active_key(settings.state / "secrets", contract.key_file)
        with mongo(settings, address) as client:
            yield Content(client, settings.address("kafka_content"), key)
        return
    with connected(settings, address) as connection:
        if contract.hash_at == "extract":
            yield Hashing(connection, active_key(settings.state / "secrets", contract.key_file))
        else:
            yield connection

"""The log that a source keeps for a replication slot, on a real slot that only the test reads."""

from collections.abc import Iterator
from typing import cast

import psycopg
import pytest

from promptsales.connections import connected
from promptsales.settings import Settings
from promptsales.specs.stream import Connector
from promptsales.stream.lag import read_slot

NAME = "kept"
MIB = 2**20
_READ = """
    select count(*) from pg_logical_slot_get_binary_changes(
        %s, null, null, 'proto_version', '1', 'publication_names', 'promptads')
"""


@pytest.fixture
def source(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to PromptAds' database, with a slot of the test."""
    with connected(stack, "sources_admin", "promptsales") as admin:
        admin.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", [NAME])
        try:
            yield admin
        finally:
            admin.execute("select pg_drop_replication_slot(%s)", [NAME])


def test_an_open_transaction_keeps_what_was_confirmed_long_ago(stack: Settings, source: psycopg.Connection) -> None:
    with psycopg.connect(stack.address("promptads")) as application:
        application.execute("insert into promptads.ads (type) values ('text')")  # not committed
        for _ in range(4):
            source.execute("select pg_logical_emit_message(false, 'bulk', repeat('x', %s))", [MIB])
        source.execute("checkpoint")
        source.execute(_READ, [NAME])
        found = read_slot(source, cast(Connector, NAME))
        application.rollback()
    assert found
    assert found.behind_bytes < MIB
    assert 4 * MIB < found.kept_bytes < (found.cap_bytes or 0)
    assert not found.is_losing

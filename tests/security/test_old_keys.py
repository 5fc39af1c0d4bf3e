"""A key that was rotated away is nowhere any more: not in the sources, the warehouse, their dumps or their logs."""

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.postgres import server_home
from promptsales.cli.load import load_feed
from promptsales.connections import connected
from promptsales.errors import TransientError
from promptsales.hashing.keys import compute_pads
from promptsales.load.steps import load
from promptsales.privacy import rotation
from promptsales.provision import provision
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contract
from promptsales.targets import InternalName
from tests.support import keys, leads

PIECE = 16  # a page may hold the rest of a value that was overwritten in part
LEADS = contract("leads")
LOGS = ("sources", "warehouse")
IN_SOURCES = {f"{what} of {database}" for what in ("files", "dump") for database in ("promptsales", "promptcrm")}
DATABASES: tuple[tuple[InternalName, str], ...] = (
    ("sources_admin", "promptsales"),
    ("sources_admin", "promptcrm"),
    ("warehouse_admin", "warehouse"),
)


@pytest.fixture(autouse=True)
def first_key(stack: Settings) -> Iterator[None]:
    keys.first_again(stack)
    yield
    keys.first_again(stack)


@pytest.fixture
def talkative(stack: Settings) -> Iterator[None]:
    """Make both clusters log every statement with its parameters."""
    admins = [psycopg.connect(stack.address(name), autocommit=True) for name in ("sources_admin", "warehouse_admin")]
    for admin in admins:
        admin.execute("alter system set log_statement = 'all'")
        admin.execute("alter system set log_parameter_max_length = -1")
        admin.execute("select pg_reload_conf()")
    yield
    for admin in admins:
        admin.execute("alter system reset all")
        admin.execute("select pg_reload_conf()")
        admin.close()


def pieces_of(key: bytes) -> list[bytes]:
    """Return the halves of a key and of its two pads."""
    values = (key, *(bytes(byte ^ mask for byte in key) for mask in (0x36, 0x5C)))
    return [value[start : start + PIECE] for value in values for start in (0, PIECE)]


def write_down(piece: bytes) -> list[bytes]:
    """Return a piece as a dump or a log may write it: in hex, escaped, in base 64."""
    escaped = [b"\\%03o" % byte if not 32 <= byte < 127 else b"\\\\" if byte == 92 else b"%c" % byte for byte in piece]
    return [piece.hex().encode(), piece.hex().upper().encode(), b"".join(escaped), base64.b64encode(piece[:15])]


def read_files(stack: Settings, name: InternalName, database: str) -> Iterator[bytes]:
    """Yield every file of a database, as a backup of the files would copy it."""
    with psycopg.connect(make_conninfo(stack.address(name), dbname=database), autocommit=True) as admin:
        admin.execute("checkpoint")
        query = "select current_setting('data_directory'), oid from pg_database where datname = current_database()"
        ((folder, oid),) = admin.execute(query).fetchall()
    yield from (path.read_bytes() for path in (Path(folder) / "base" / str(oid)).iterdir() if path.is_file())


def dump(stack: Settings, name: InternalName, database: str) -> bytes:
    """Return a database as SQL."""
    parts: dict[str, Any] = conninfo_to_dict(stack.address(name), dbname=database)
    environment = {"PGPASSWORD": str(parts.pop("password"))}
    command = [str(server_home(stack.state) / "bin" / "pg_dump"), "--dbname", make_conninfo(**parts)]
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


def search(stack: Settings, kid: int) -> set[str]:
    """Return the places that hold a piece of a key."""
    pieces = pieces_of(bytes.fromhex(stack.secrets.password(f"pii_key_{kid}")))
    written = [*pieces, *(text for piece in pieces for text in write_down(piece))]
    places = {f"log of {name}": [(stack.state / "logs" / f"{name}.log").read_bytes()] for name in LOGS}
    places |= {f"dump of {database}": [dump(stack, name, database)] for name, database in DATABASES}
    holders = {where for where, texts in places.items() if any(text in texts[0] for text in written)}
    for name, database in DATABASES:
        if any(piece in content for content in read_files(stack, name, database) for piece in pieces):
            holders.add(f"files of {database}")
    return holders


def rotate(stack: Settings, compromised: bool = False) -> None:
    rotation.rotate(stack, 30, lambda feed: load_feed(feed, None, "test"), lambda step: None, compromised)


def count_bridges(warehouse: psycopg.Connection) -> int:
    return sum(bridge.hashes for bridge in rotation.list_bridges(warehouse))


@pytest.mark.usefixtures("talkative")
def test_a_rotated_key_is_nowhere(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    assert search(stack, 1) == IN_SOURCES
    rotate(stack)
    assert search(stack, 1) == set()
    assert count_bridges(warehouse) > 0


def test_a_compromised_key_translates_nothing(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    rotate(stack)
    assert count_bridges(warehouse) > 0
    rotate(stack, compromised=True)
    assert count_bridges(warehouse) == 0
    assert (search(stack, 1), search(stack, 2)) == (set(), set())


def test_a_compromised_key_ends_the_bridge_of_an_open_rotation(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    rotation._announce(stack, warehouse, 30)
    rotate(stack, compromised=True)
    assert (keys.active(stack), count_bridges(warehouse)) == ([2, 2], 0)


def test_a_load_that_publishes_meanwhile_leaves_no_bridge(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")

    def load_with_an_old_bridge(feed: Contract) -> None:
        load_feed(feed, None, "test")
        warehouse.execute(  # a rotation loads each feed twice
            "insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at) "
            "values (%s, 'email_hmac', 'old', 1, 'new', 2, now() + interval '30 days') on conflict do nothing",
            [feed.table],
        )

    rotation.rotate(stack, 30, load_with_an_old_bridge, lambda step: None, is_compromised=True)
    assert count_bridges(warehouse) == 0


def test_pads_that_an_earlier_release_kept_are_removed(stack: Settings) -> None:
    stack.secrets.write("pii_key_2", bytes(range(32)).hex())
    with (
        connected(stack, "sources_admin", "promptcrm") as admin,
        admin.cursor() as cursor,
        cursor.copy("copy etl.pii_pad from stdin (format binary)") as copy,
    ):
        copy.set_types(["int4", "bool", "bytea", "bytea"])
        copy.write_row((2, False, *compute_pads(bytes(range(32)))))
    assert search(stack, 2) == {"files of promptcrm", "dump of promptcrm"}
    assert [change.what for change in provision(stack)] == ["hashing key 2 removed"]
    assert search(stack, 2) == set()
    assert keys.active(stack) == [1, 1]


def test_a_rotation_stays_open_while_a_transaction_keeps_the_old_pads(
    stack: Settings, crm: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    crm.execute("begin isolation level repeatable read; select")
    with pytest.raises(TransientError, match=r"promptcrm: .* end the transactions .* `promptsales pii rotate` again"):
        rotate(stack)
    crm.execute("commit")
    rotate(stack)
    assert (keys.active(stack), search(stack, 1)) == ([2, 2], set())

"""Rotate the hashing key: announce a new key, switch every source database to it, and reload every hashed feed.

A rotation that was killed resumes where it stopped, because each step is recorded: the key file, the row in
``ops.pii_rotation``, the active pad of each database, the key number of each feed. After the announcement, hourly loads
take part: the first load that reads a new key reloads its feed.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, get_args

import psycopg
from psycopg.rows import class_row

from promptsales.connections import connected
from promptsales.errors import ConfigError, TransientError
from promptsales.hashing.keys import CONTENT_KEY, derive_content_key, read_keys
from promptsales.provision.lines import Database
from promptsales.provision.pads import is_wiped, replace_pads
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contracts

LoadFeed = Callable[[Contract], object]
Tell = Callable[[str], None]

CHECK = b"check\0promptsales"  # the text that the view etl.pii_key hashes

SOURCES: tuple[Database, ...] = tuple(name for name in get_args(Database) if name != "warehouse")


class Rotation(NamedTuple):
    """A row of ``ops.pii_rotation``."""

    kid: int
    check_hmac: bytes
    content_check_hmac: bytes | None
    bridge_days: int
    started_at: datetime
    finished_at: datetime | None


class RotationStep(NamedTuple):
    """The key that a database or feed hashes with, and whether it is the new key."""

    what: str
    kid: int | None
    is_done: bool


class Bridge(NamedTuple):
    """How many hashes of a column have a bridge to their new hash, and when the last of them expires."""

    feed: str
    column_name: str
    hashes: int
    expires_at: datetime


def rotate(settings: Settings, bridge_days: int, load_feed: LoadFeed, tell: Tell, is_compromised: bool = False) -> None:
    """Start a rotation, or resume the open one, and finish it: then the sources hold no pads of an older key.

    Args:
        settings: secrets and addresses.
        bridge_days: for how many days old hashes can be translated; an open rotation keeps its own number.
        load_feed: loads the delta of a feed.
        tell: called with a line of text for each step.
        is_compromised: the old key is known to others, so no hash may be translated, also not by an earlier bridge.

    Raises:
        TransientError: when an open transaction at a source keeps the old pads readable.
        ConfigError: when the databases hash with different keys and no rotation is open, or a key file is missing.
        PipelineError: what a load raises; fix the cause and run it again.
    """
    with connected(settings, "warehouse") as warehouse:
        rotation = _open(warehouse) or _announce(settings, warehouse, bridge_days)
        key = _read_key(settings, rotation)
        tell(f"key {rotation.kid} is announced")
        if is_compromised:
            warehouse.execute("update ops.pii_rotation set bridge_days = 0 where finished_at is null")
            warehouse.execute("delete from ops.pii_bridge")
        _catch_up(settings, warehouse, rotation, load_feed, tell)
        for database in SOURCES:
            _switch(settings, database, rotation.kid, key)
            tell(f"{database} hashes with key {rotation.kid}")
        _write_content_key(settings, rotation, key)
        for feed, kid in _feeds(warehouse):
            if kid != rotation.kid:
                tell(f"{feed.table}: loading all rows")
                load_feed(feed)
        if is_compromised:  # a load that began before this rotation may have published its bridge meanwhile
            warehouse.execute("delete from ops.pii_bridge")
        for database in SOURCES:
            _wipe(settings, database)
        _finish(warehouse, rotation)
        _remove_old_content_keys(settings, rotation)


def read_newest(warehouse: psycopg.Connection) -> Rotation | None:
    """Return the open rotation, else the last one; None if there never was one."""
    with warehouse.cursor(row_factory=class_row(Rotation)) as cursor:
        return cursor.execute(f"{_SELECT} order by kid desc limit 1").fetchone()


def list_steps(settings: Settings, warehouse: psycopg.Connection, rotation: Rotation) -> Iterator[RotationStep]:
    """Yield the step of every source database and every hashed feed."""
    for database in SOURCES:
        kid = _read_active_kid(settings, database)
        yield RotationStep(f"database {database}", kid, kid == rotation.kid)
    for feed, kid in _feeds(warehouse):
        yield RotationStep(f"feed {feed.table}", kid, kid == rotation.kid)


def list_bridges(warehouse: psycopg.Connection) -> list[Bridge]:
    """Return the bridges from old hashes to new ones, by feed and column."""
    with warehouse.cursor(row_factory=class_row(Bridge)) as cursor:
        return cursor.execute(_BRIDGES).fetchall()


def describe(rotation: Rotation | None, steps: Iterable[RotationStep]) -> str:
    """Return the state of a rotation as a line of text."""
    if rotation is None:
        return "the hashing key was never changed"
    if rotation.finished_at is None:
        waiting = sum(not step.is_done for step in steps)
        return f"the rotation to key {rotation.kid} is open, {waiting} steps to go: `promptsales pii rotate` resumes it"
    return f"everything hashes with key {rotation.kid}"


_BRIDGES = Path(__file__).with_name("bridges.sql").read_bytes()
_SELECT = "select kid, check_hmac, content_check_hmac, bridge_days, started_at, finished_at from ops.pii_rotation"


_INSERT = "insert into ops.pii_rotation (kid, check_hmac, content_check_hmac, bridge_days) values (%s, %s, %s, %s)"


def _open(warehouse: psycopg.Connection) -> Rotation | None:
    with warehouse.cursor(row_factory=class_row(Rotation)) as cursor:
        return cursor.execute(f"{_SELECT} where finished_at is null").fetchone()


def _announce(settings: Settings, warehouse: psycopg.Connection, bridge_days: int) -> Rotation:
    """Create the key file, then the row: a rotation without its key file could not be finished."""
    folder = settings.state / "secrets"
    active = {database: _read_active_kid(settings, database) for database in SOURCES}
    if len(set(active.values())) != 1 or None in active.values():
        kids = ", ".join(f"{name} with {kid or 'none'}" for name, kid in active.items())
        raise ConfigError(
            f"the databases hash with different keys: {kids}; a rotation needs the same key in all; run "
            "`promptsales provision` first"
        )
    (current,) = set(active.values())
    assert current is not None  # noqa: S101 -- refused above
    kid = max(read_keys(folder), default=current)
    # a newer key file is from a rotation that was killed here, or was put there to be used
    if kid <= current:
        kid = current + 1
        settings.secrets.create(f"pii_key_{kid}")
    key = read_keys(folder)[kid]
    checks = (hmac.digest(each, CHECK, "sha256") for each in (key, derive_content_key(key)))
    warehouse.execute(_INSERT, [kid, *checks, bridge_days])
    rotation = _open(warehouse)
    assert rotation is not None  # noqa: S101 -- it was just inserted
    return rotation


def _read_key(settings: Settings, rotation: Rotation) -> bytes:
    """Return the announced key from its file."""
    name = f"pii_key_{rotation.kid}"
    key = read_keys(settings.state / "secrets").get(rotation.kid)
    if key is None or not hmac.compare_digest(hmac.digest(key, CHECK, "sha256"), rotation.check_hmac):
        raise ConfigError(f"the rotation to key {rotation.kid} is open, but secret {name} is not that key; put it back")
    return key


def _catch_up(
    settings: Settings, warehouse: psycopg.Connection, rotation: Rotation, load_feed: LoadFeed, tell: Tell
) -> None:
    """Load new rows under the old key, because a row that changes after its last load under it gets no bridge."""
    waiting = {database for database in SOURCES if _read_active_kid(settings, database) != rotation.kid}
    for feed, kid in _feeds(warehouse):
        is_content_waiting = feed.key_file == CONTENT_KEY and not settings.secrets.has(f"{CONTENT_KEY}_{rotation.kid}")
        if kid != rotation.kid and (feed.source.system in waiting or is_content_waiting):
            tell(f"{feed.table}: loading new rows under key {kid}")
            load_feed(feed)


def _switch(settings: Settings, database: Database, kid: int, key: bytes) -> None:
    with connected(settings, "sources_admin", database) as connection, connection.transaction():
        replace_pads(connection, database, kid, key)


def _write_content_key(settings: Settings, rotation: Rotation, key: bytes) -> None:
    """Write the key of content, so that the next load of such a feed hashes with it."""
    content_key = derive_content_key(key) if rotation.content_check_hmac else key
    settings.secrets.write(f"{CONTENT_KEY}_{rotation.kid}", content_key.hex())


def _remove_old_content_keys(settings: Settings, rotation: Rotation) -> None:
    for kid in read_keys(settings.state / "secrets", CONTENT_KEY):
        if kid < rotation.kid:
            settings.secrets.remove(f"{CONTENT_KEY}_{kid}")


def _wipe(settings: Settings, database: Database) -> None:
    with connected(settings, "sources_admin", database) as connection:
        if not is_wiped(connection):
            raise TransientError(
                f"database {database}: a transaction is open that began before the switch to the new key, so the old "
                "key's pads can still be read from the table's file; end the transactions that are that old, then run "
                "`promptsales pii rotate` again"
            )


def _read_active_kid(settings: Settings, database: Database) -> int | None:
    with connected(settings, "sources_admin", database) as connection:
        row = connection.execute("select kid from etl.pii_pad where is_active").fetchone()
    return row[0] if row else None


def _feeds(warehouse: psycopg.Connection) -> list[tuple[Contract, int]]:
    """Return the hashed feeds that were loaded before, with their keys; a first load takes the active key anyway."""
    known: dict[str, int | None] = dict(warehouse.execute("select feed, pii_kid from ops.feed").fetchall())
    hashed = ((feed, known.get(feed.table)) for feed in contracts().values() if feed.is_hashed)
    return [(feed, kid) for feed, kid in hashed if kid is not None]


def _finish(warehouse: psycopg.Connection, rotation: Rotation) -> None:
    if behind := [feed.table for feed, kid in _feeds(warehouse) if kid != rotation.kid]:
        raise ConfigError(
            f"{', '.join(behind)} did not load under key {rotation.kid}; see `promptsales pii rotate --status`"
        )
    warehouse.execute(
        "update ops.pii_rotation set finished_at = clock_timestamp() where kid = %s and finished_at is null",
        [rotation.kid],
    )

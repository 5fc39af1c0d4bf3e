"""A new hashing key: announced, switched to in every source database, and every hashed feed loaded anew.

Each step leaves a mark that the next run finds, so a rotation that was killed goes on where it stopped: the key file,
the row in ``ops.pii_rotation``, the active pad of each database, the key number of each feed. Once it is announced,
the hourly loads take part: whoever meets the new key first reloads the feed.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, get_args

import psycopg
from psycopg.rows import class_row

from promptsales.connections import connected
from promptsales.errors import ConfigError
from promptsales.hashing.keys import read_keys
from promptsales.provision.lines import Database
from promptsales.provision.pads import load_pads
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contracts

LoadFeed = Callable[[Contract], object]
Tell = Callable[[str], None]

CHECK = b"check\0promptsales"  # the text of the view etl.pii_key
SOURCES: tuple[Database, ...] = tuple(name for name in get_args(Database) if name != "warehouse")


class Rotation(NamedTuple):
    """A row of ``ops.pii_rotation``."""

    kid: int
    check_hmac: bytes
    bridge_days: int
    started_at: datetime
    finished_at: datetime | None


class Step(NamedTuple):
    """Where one database or feed stands: the key it hashes with, and whether that is the new one."""

    what: str
    kid: int | None
    is_done: bool


class Bridge(NamedTuple):
    """The translations one feed has, and until when the last of them is kept."""

    feed: str
    column_name: str
    hashes: int
    expires_at: datetime


def rotate(settings: Settings, bridge_days: int, load_feed: LoadFeed, tell: Tell) -> None:
    """Start a rotation, or go on with the one that is open, to its end.

    Args:
        settings: secrets and addresses.
        bridge_days: how long old hashes can be translated; of a rotation that is open already, its own days count.
        load_feed: loads the delta of a feed, by the path of every load.
        tell: told what is being done.

    Raises:
        ConfigError: when the databases hash with different keys and no rotation is open, or a key file is not there.
        PipelineError: whatever a load raises; run it again once that is mended.
    """
    with connected(settings, "warehouse") as warehouse:
        rotation = _open(warehouse) or _announce(settings, warehouse, bridge_days)
        key = _key(settings, rotation)
        tell(f"key {rotation.kid} is announced")
        _catch_up(settings, warehouse, rotation, load_feed, tell)
        for database in SOURCES:
            _switch(settings, database, rotation.kid, key)
            tell(f"{database} hashes with key {rotation.kid}")
        for feed, kid in _feeds(warehouse):
            if kid != rotation.kid:
                tell(f"{feed.table}: loading all of it")
                load_feed(feed)
        _finish(warehouse, rotation)


def newest(warehouse: psycopg.Connection) -> Rotation | None:
    """The rotation that is open, else the last one; None when there never was one."""
    with warehouse.cursor(row_factory=class_row(Rotation)) as cursor:
        return cursor.execute(f"{_SELECT} order by kid desc limit 1").fetchone()


def steps(settings: Settings, warehouse: psycopg.Connection, rotation: Rotation) -> Iterator[Step]:
    """Where every database and every hashed feed stands."""
    for database in SOURCES:
        kid = _active(settings, database)
        yield Step(f"database {database}", kid, kid == rotation.kid)
    for feed, kid in _feeds(warehouse):
        yield Step(f"feed {feed.table}", kid, kid == rotation.kid)


def bridges(warehouse: psycopg.Connection) -> list[Bridge]:
    """What can be translated from old hashes to new ones."""
    with warehouse.cursor(row_factory=class_row(Bridge)) as cursor:
        return cursor.execute(_BRIDGES).fetchall()


def in_words(rotation: Rotation | None, found: Iterable[Step]) -> str:
    """Where a rotation stands, in one line."""
    if rotation is None:
        return "the hashing key was never changed"
    if rotation.finished_at is None:
        waiting = sum(not step.is_done for step in found)
        return f"the rotation to key {rotation.kid} is open, {waiting} steps to go: `promptsales pii rotate` goes on"
    return f"everything hashes with key {rotation.kid}"


_BRIDGES = Path(__file__).with_name("bridges.sql").read_bytes()
_SELECT = "select kid, check_hmac, bridge_days, started_at, finished_at from ops.pii_rotation"


def _open(warehouse: psycopg.Connection) -> Rotation | None:
    with warehouse.cursor(row_factory=class_row(Rotation)) as cursor:
        return cursor.execute(f"{_SELECT} where finished_at is null").fetchone()


def _announce(settings: Settings, warehouse: psycopg.Connection, bridge_days: int) -> Rotation:
    """The key file first: a row without its file could not be carried out."""
    folder = settings.state / "secrets"
    active = {database: _active(settings, database) for database in SOURCES}
    if len(set(active.values())) != 1 or None in active.values():
        found = ", ".join(f"{name} with {kid or 'none'}" for name, kid in active.items())
        raise ConfigError(f"the databases must hash with one key before it can be changed: {found}; provision first")
    (current,) = set(active.values())
    assert current is not None  # noqa: S101 -- refused above
    kid = max(read_keys(folder), default=current)
    # a newer file that is there was made by a rotation killed right here, or put there to be used
    if kid <= current:
        kid = current + 1
        settings.secrets.create(f"pii_key_{kid}")
    check = hmac.digest(read_keys(folder)[kid], CHECK, "sha256")
    warehouse.execute(
        "insert into ops.pii_rotation (kid, check_hmac, bridge_days) values (%s, %s, %s)", [kid, check, bridge_days]
    )
    rotation = _open(warehouse)
    assert rotation is not None  # noqa: S101 -- it was just written
    return rotation


def _key(settings: Settings, rotation: Rotation) -> bytes:
    """The announced key, from its file."""
    name = f"pii_key_{rotation.kid}"
    key = read_keys(settings.state / "secrets").get(rotation.kid)
    if key is None or not hmac.compare_digest(hmac.digest(key, CHECK, "sha256"), rotation.check_hmac):
        raise ConfigError(f"the rotation to key {rotation.kid} is open, but secret {name} is not that key: put it back")
    return key


def _catch_up(
    settings: Settings, warehouse: psycopg.Connection, rotation: Rotation, load_feed: LoadFeed, tell: Tell
) -> None:
    """Load what is new under the old key: a row that changes between its last load and the reload has no bridge."""
    waiting = {database for database in SOURCES if _active(settings, database) != rotation.kid}
    for feed, kid in _feeds(warehouse):
        if kid != rotation.kid and feed.source.system in waiting:
            tell(f"{feed.table}: loading what is new, under key {kid}")
            load_feed(feed)


def _switch(settings: Settings, database: Database, kid: int, key: bytes) -> None:
    with connected(settings, "sources_admin", database) as connection, connection.transaction():
        load_pads(connection, database, {kid: key})
        # off before on: at most one key may be active at any time
        connection.execute("update etl.pii_pad set is_active = false where is_active and kid <> %s", [kid])
        connection.execute("update etl.pii_pad set is_active = true where kid = %s", [kid])


def _active(settings: Settings, database: Database) -> int | None:
    with connected(settings, "sources_admin", database) as connection:
        row = connection.execute("select kid from etl.pii_pad where is_active").fetchone()
    return row[0] if row else None


def _feeds(warehouse: psycopg.Connection) -> list[tuple[Contract, int]]:
    """Every hashed feed that was ever loaded, and the key it is hashed with; another takes the active key by itself."""
    known: dict[str, int | None] = dict(warehouse.execute("select feed, pii_kid from ops.feed").fetchall())
    hashed = ((feed, known.get(feed.table)) for feed in contracts().values() if feed.is_hashed)
    return [(feed, kid) for feed, kid in hashed if kid is not None]


def _finish(warehouse: psycopg.Connection, rotation: Rotation) -> None:
    if behind := [feed.table for feed, kid in _feeds(warehouse) if kid != rotation.kid]:
        raise ConfigError(f"{', '.join(behind)} did not take key {rotation.kid}: see `promptsales pii rotate --status`")
    warehouse.execute(
        "update ops.pii_rotation set finished_at = clock_timestamp() where kid = %s and finished_at is null",
        [rotation.kid],
    )

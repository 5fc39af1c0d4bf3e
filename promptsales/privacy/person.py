"""Everything the warehouse holds of one person, found by an id or a keyed hash and followed across the feeds."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from promptsales.erasure import search
from promptsales.errors import ConfigError
from promptsales.feeds.staging import core
from promptsales.specs.feed import Contract, contract, contracts

_HASH = re.compile(r"(\\x)?([0-9a-f]{64})")
# a uuid, an ObjectId: long enough not to be found by chance in another text
_LONG_ENOUGH = 16
_ID = re.compile(rf"[0-9A-Za-z_-]{{{_LONG_ENOUGH},64}}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# hashes that say whose row it is; a domain belongs to many
_FOLLOWED = ("email_hmac", "phone_hmac", "click_id_hmac")


class Row(NamedTuple):
    """A row of the person: in core or in quarantine, and the hashes in it."""

    feed: str
    key: str
    place: str
    email_hmac: bytes | None
    pii_kid: int | None
    row_changed_at: datetime | None
    hashes: list[bytes]


class Listed(NamedTuple):
    """What a person who asks is shown of a row."""

    feed: str
    key: str
    place: str
    found_by: str


class Person(NamedTuple):
    """What was asked for, and all that was found."""

    asked: str
    feed: str | None
    follow_phone: bool
    rows: list[Row]
    listed: list[Listed]
    hashes: frozenset[bytes]

    @property
    def keys(self) -> set[tuple[str, str]]:
        """Feed and id of each row; at least what was asked for."""
        asked = {(self.feed, self.asked)} if self.feed else set()
        return {(row.feed, row.key) for row in self.rows} | asked

    @property
    def needles(self) -> list[str]:
        """What must be in no table any more."""
        return search.needles((key for _, key in self.keys), self.hashes)


def find(warehouse: psycopg.Connection, asked: str, feed: str | None, follow_phone: bool) -> Person:
    """Everything the warehouse holds of one person.

    Args:
        warehouse: the warehouse, as its administrator.
        asked: an id of a source, or a keyed hash in hex.
        feed: whose id it is; then it is kept out even where no row has it yet.
        follow_phone: whether equal phone numbers mean the same person.

    Raises:
        ConfigError: when it is neither, no such feed, or nothing is found.
    """
    if feed is not None:
        contract(feed)
    text, start = _understood(asked.strip())
    hashes: set[bytes] = {start} if start else set()
    rows: dict[tuple[str, str, str], Row] = {}
    by: dict[tuple[str, str, str], str] = {}
    while True:
        known = len(hashes) + len(rows)
        hashes |= _bridged(warehouse, hashes)
        for row in _look(warehouse, feed, text if start is None else None, hashes, follow_phone):
            place = (row.feed, row.key, row.place)
            by.setdefault(place, "its id" if row.key == text else "a hash it shares")
            rows[place] = row
            hashes |= set(row.hashes)
        if len(hashes) + len(rows) == known:
            break
    if not rows and (feed is None or start is not None):
        raise ConfigError("the warehouse knows nothing by that id or hash; an id is kept out all the same with --feed")
    if short := [key for _, key, _ in rows if len(key) < _LONG_ENOUGH]:
        raise ConfigError(
            f"{len(short)} rows of the person have ids that could be found by chance: erase those by hand"
        )
    listed = [Listed(*place, by[place]) for place in sorted(rows)]
    return Person(text, None if start else feed, follow_phone, list(rows.values()), listed, frozenset(hashes))


def _understood(text: str) -> tuple[str, bytes | None]:
    """An id, or a hash; never repeats what it was given."""
    if match := _HASH.fullmatch(text.lower()):
        return match[2], bytes.fromhex(match[2])
    if not _ID.fullmatch(text):
        raise ConfigError(
            "a person is named by an id of the source (a uuid, an ObjectId) or by a keyed hash (64 hex digits), never "
            "by an address, a number or a name: those must not reach the warehouse"
        )
    return (text.lower() if _UUID.fullmatch(text) else text), None


def _bridged(warehouse: psycopg.Connection, hashes: Iterable[bytes]) -> set[bytes]:
    """The same hashes under the keys a bridge joins."""
    query = "select old_hmac, new_hmac from ops.pii_bridge where old_hmac = any(%(all)s) or new_hmac = any(%(all)s)"
    return {digest for pair in warehouse.execute(query, {"all": list(hashes)}) for digest in pair}


def _look(
    warehouse: psycopg.Connection, feed: str | None, key: str | None, hashes: set[bytes], follow_phone: bool
) -> Iterator[Row]:
    """Rows by the id (of one feed, if it is named) or by any hash (in every feed)."""
    for one in contracts().values():
        values = {"feed": one.table, "hashes": list(hashes), "key": key if feed in (None, one.table) else None}
        for query in (in_core(one, follow_phone), in_quarantine(one, follow_phone)):
            with warehouse.cursor(row_factory=class_row(Row)) as cursor:
                yield from cursor.execute(query, values).fetchall()


def _columns(one: Contract, follow_phone: bool) -> list[str]:
    """The hashed columns of a feed that say whose row it is."""
    followed = set(_FOLLOWED) - (set() if follow_phone else {"phone_hmac"})
    return [column.name for column in one.columns if column.transform in followed]


def _query(one: Contract, hmacs: dict[str, sql.Composable], **parts: sql.Composable) -> sql.Composed:
    """The statement that gives `Row`s from one place."""
    email = hmacs.get(one.email_hmac or "", sql.SQL("null::bytea"))
    listed = sql.SQL(", ").join(hmacs.values())
    return sql.SQL("""
        select %(feed)s as feed, {key} as key, {place} as place, {email} as email_hmac, {kid} as pii_kid,
               {cursor} as row_changed_at, array_remove(array[{listed}]::bytea[], null) as hashes
        from {table}
        where {only} and ({key} = %(key)s or array[{listed}]::bytea[] && %(hashes)s::bytea[])
    """).format(email=email, listed=listed, **parts)


def in_core(one: Contract, follow_phone: bool) -> sql.Composed:
    """Compose the rows of core that are a person's, by id or by a hash."""
    return _query(
        one,
        {name: sql.Identifier(name) for name in _columns(one, follow_phone)},
        key=sql.SQL("{}::text").format(sql.Identifier(one.key)),
        place=sql.Literal("core"),
        kid=sql.Identifier("pii_kid") if one.is_hashed else sql.SQL("null::integer"),
        cursor=sql.Identifier(one.cursor),
        table=core(one),
        only=sql.SQL("true"),
    )


def in_quarantine(one: Contract, follow_phone: bool) -> sql.Composed:
    """Compose the rows of quarantine that are a person's, by id or by a hash."""
    from_text = sql.SQL("decode(substr(payload ->> {}, 3), 'hex')")
    return _query(
        one,
        {name: from_text.format(sql.Literal(name)) for name in _columns(one, follow_phone)},
        key=sql.SQL("key"),
        place=sql.Literal("quarantine"),
        kid=sql.SQL("(payload ->> 'pii_kid')::integer"),
        cursor=sql.SQL("(payload ->> {})::timestamptz").format(sql.Literal(one.cursor)),
        table=sql.SQL("ops.quarantine"),
        only=sql.SQL("feed = %(feed)s"),
    )

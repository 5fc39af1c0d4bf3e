"""Find all rows of a person in the warehouse by an id or a keyed hash, and follow shared hashes across the feeds."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from promptsales.erasure import search
from promptsales.errors import ConfigError
from promptsales.feeds.staging import core
from promptsales.names import in_lines
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.feed import contract as require_feed

_HASH = re.compile(r"(\\x)?([0-9a-f]{64})")
# uuids and ObjectIds are long enough not to occur in another text by chance
_LONG_ENOUGH = 16
_ID = re.compile(rf"[0-9A-Za-z_-]{{{_LONG_ENOUGH},64}}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# the hashes that identify a person; a text belongs to anybody
KINDS = {"email_hmac": "e-mail address", "phone_hmac": "phone number", "click_id_hmac": "click id"}
FOLLOWED = frozenset(KINDS)


class PersonRow(NamedTuple):
    """A row of a person, in core or in quarantine, and the hashes in it with the kind of each."""

    feed: str
    key: str
    place: str
    email_hmac: bytes | None
    pii_kid: int | None
    row_changed_at: datetime | None
    hashes: list[bytes]
    kinds: list[str]


class ListedRow(NamedTuple):
    """A row of a person as the command lists it."""

    feed: str
    key: str
    place: str
    found_by: str


class Person(NamedTuple):
    """The id or hash that was asked for, and all rows and hashes that belong to it."""

    asked: str
    feed: str | None
    follow: frozenset[str]
    rows: list[PersonRow]
    listed: list[ListedRow]
    hashes: frozenset[bytes]

    @property
    def keys(self) -> set[tuple[str, str]]:
        """Feed and id of each row, including the id that was asked for."""
        asked = {(self.feed, self.asked)} if self.feed else set()
        return {(row.feed, row.key) for row in self.rows} | asked

    @property
    def needles(self) -> list[str]:
        """The texts that no table may contain after the erasure."""
        return search.make_needles((key for _, key in self.keys), self.hashes)


def find(warehouse: psycopg.Connection, asked: str, feed: str | None, follow: frozenset[str] = FOLLOWED) -> Person:
    """Return all rows of a person in core and quarantine.

    Args:
        warehouse: a connection to the warehouse as its administrator.
        asked: an id of a source, or a keyed hash in hex.
        feed: the feed of the id; the id is then suppressed even if no row has it yet.
        follow: the kinds of hash of which two equal ones mean the same person.

    Raises:
        ConfigError: when it is neither an id nor a hash, there is no such feed, or no row is found.
    """
    if feed is not None:
        require_feed(feed)
    text, start = _parse_asked(asked.strip())
    hashes: set[bytes] = {start} if start else set()
    rows: dict[tuple[str, str, str], PersonRow] = {}
    reasons: dict[tuple[str, str, str], str] = {}
    while True:
        known = len(hashes) + len(rows)
        hashes |= _bridge(warehouse, hashes)
        for row in _read_rows(warehouse, feed, text if start is None else None, hashes, follow):
            place = (row.feed, row.key, row.place)
            reasons.setdefault(place, "its id" if row.key == text else "a hash it shares")
            rows[place] = row
            hashes |= set(row.hashes)
        if len(hashes) + len(rows) == known:
            break
    if not rows and (feed is None or start is not None):
        raise ConfigError("no row has that id or hash; to suppress an id that no row has yet, pass its --feed")
    if short := [key for _, key, _ in rows if len(key) < _LONG_ENOUGH]:
        raise ConfigError(
            f"{len(short)} rows of the person have ids of less than {_LONG_ENOUGH} characters, which may match other "
            "rows by chance; erase those rows by hand"
        )
    listed = [ListedRow(*place, reasons[place]) for place in sorted(rows)]
    return Person(text, None if start else feed, follow, list(rows.values()), listed, frozenset(hashes))


def _parse_asked(text: str) -> tuple[str, bytes | None]:
    """Return the id, or the hash as text and bytes; errors never repeat the text."""
    if match := _HASH.fullmatch(text.lower()):
        return match[2], bytes.fromhex(match[2])
    if not _ID.fullmatch(text):
        raise ConfigError(
            "not an id or a hash: pass an id of the source (a uuid, an ObjectId) or a keyed hash (64 hex digits), "
            "never an address, a phone number or a name, which must not reach the warehouse"
        )
    return (text.lower() if _UUID.fullmatch(text) else text), None


def _bridge(warehouse: psycopg.Connection, hashes: Iterable[bytes]) -> set[bytes]:
    """Return the same hashes under the other key of each bridge."""
    query = "select old_hmac, new_hmac from ops.pii_bridge where old_hmac = any(%(all)s) or new_hmac = any(%(all)s)"
    return {digest for pair in warehouse.execute(query, {"all": list(hashes)}) for digest in pair}


def _read_rows(
    warehouse: psycopg.Connection, feed: str | None, key: str | None, hashes: set[bytes], follow: frozenset[str]
) -> Iterator[PersonRow]:
    """Yield the rows that have the id (in the named feed, or in all feeds) or any of the hashes (in all feeds)."""
    for contract in contracts().values():
        table = contract.table
        values = {"feed": table, "hashes": list(hashes), "key": key if feed in (None, table) else None}
        for query in (select_core(contract, follow), select_quarantine(contract, follow)):
            with warehouse.cursor(row_factory=class_row(PersonRow)) as cursor:
                yield from cursor.execute(query, values).fetchall()


def _identifying_columns(contract: Contract, follow: frozenset[str]) -> dict[str, str]:
    """Return the kind of each column whose hash identifies a person, by the column's name."""
    return {column.name: column.transform for column in contract.columns if column.transform in follow}


def _select(
    contract: Contract, follow: frozenset[str], hmac_of: Callable[[str], sql.Composable], **parts: sql.Composable
) -> sql.Composed:
    """Return the statement that selects the columns of `PersonRow`."""
    kinds = _identifying_columns(contract, follow)
    hmacs = {name: hmac_of(name) for name in kinds}
    named = [
        sql.SQL("case when {} is not null then {} end").format(hmacs[name], sql.Literal(kind))
        for name, kind in kinds.items()
    ]
    return sql.SQL("""
        select %(feed)s as feed, {key} as key, {place} as place, {email} as email_hmac, {kid} as pii_kid,
               {cursor} as row_changed_at, array_remove(array[{listed}]::bytea[], null) as hashes,
               array_remove(array[{kinds}]::text[], null) as kinds
        from {table}
        where {only} and ({key} = %(key)s or array[{listed}]::bytea[] && %(hashes)s::bytea[])
    """).format(
        email=hmacs.get(contract.email_hmac or "", sql.SQL("null::bytea")),
        listed=sql.SQL(", ").join(hmacs.values()),
        kinds=in_lines(named),
        **parts,
    )


def select_core(contract: Contract, follow: frozenset[str] = FOLLOWED) -> sql.Composed:
    """Compose the statement that selects a person's rows of core, by id or by a hash."""
    return _select(
        contract,
        follow,
        sql.Identifier,
        key=sql.SQL("{}::text").format(sql.Identifier(contract.key)),
        place=sql.Literal("core"),
        kid=sql.Identifier("pii_kid") if contract.is_hashed else sql.SQL("null::integer"),
        cursor=sql.Identifier(contract.cursor),
        table=core(contract),
        only=sql.SQL("true"),
    )


def select_quarantine(contract: Contract, follow: frozenset[str] = FOLLOWED) -> sql.Composed:
    """Compose the statement that selects a person's rows of quarantine, by id or by a hash."""
    from_text = sql.SQL("decode(substr(payload ->> {}, 3), 'hex')")
    return _select(
        contract,
        follow,
        lambda name: from_text.format(sql.Literal(name)),
        key=sql.SQL("key"),
        place=sql.Literal("quarantine"),
        kid=sql.SQL("(payload ->> 'pii_kid')::integer"),
        cursor=sql.SQL("(payload ->> {})::timestamptz").format(sql.Literal(contract.cursor)),
        table=sql.SQL("ops.quarantine"),
        only=sql.SQL("feed = %(feed)s"),
    )

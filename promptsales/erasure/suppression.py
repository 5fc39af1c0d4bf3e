"""Erased persons stay out: what a load does with their rows, and with their ids in the rows of others."""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from promptsales.feeds.staging import core, staging
from promptsales.names import in_lines
from promptsales.specs.feed import Contract

# stands in the place of an erased person's id; a missing parent reads 'Unknown' in a mart (domain.md section 2.2)
NOBODY = "00000000-0000-0000-0000-000000000000"

# names the advisory lock that runs share while they build marts, and an erasure takes alone
BUILD_LOCK = 7_406_001
# names the advisory lock that a transaction of the stream shares, and an erasure takes alone
STREAM_LOCK = 7_406_002
# so begins a transaction of the stream; one that waits longer than this for an erasure is tried again
EXCLUDE_ERASURES = (
    f"select set_config('lock_timeout', '5s', true), pg_advisory_xact_lock_shared({STREAM_LOCK})".encode(),
    b"set local lock_timeout to default",
)

# an id is recognised in other tables by its text alone: a shorter one is another row's by chance
SHORTEST = 16
# ids as the warehouse knows them; asked of another server, they are handed over first (`stream/compare.py`)
ERASED = sql.SQL("(select key from ops.suppression where length(key) >= {})").format(sql.Literal(SHORTEST))


def is_erased(value: sql.Composable, erased: sql.Composable = ERASED) -> sql.Composed:
    """Compose the condition that an id is one of an erased person: no row may come in under it."""
    return sql.SQL("{}::text in {}").format(value, erased)


def unnamed(value: sql.Composable, erased: sql.Composable = ERASED) -> sql.Composed:
    """Compose a reference to another row, which names nobody where it would name an erased person."""
    # a literal, not a parameter: it takes the column's own type, and an id may be uuid or text
    return sql.SQL("""case when {}
                    then {} else {} end""").format(is_erased(value, erased), sql.Literal(NOBODY), value)


def unnamed_in(payload: sql.Composable, names: Iterable[str]) -> sql.Composed:
    """Compose the references of a JSON payload in the same way; what it lacks is not added."""
    values = [
        sql.SQL("{}::text, {}").format(sql.Literal(name), unnamed(sql.SQL("({} ->> {})").format(payload, name)))
        for name in names
    ]
    return sql.SQL("jsonb_strip_nulls(jsonb_build_object({}))").format(in_lines(values))


def met(contract: Contract, warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Return the rows of staging that are an erased person's and not yet removed: key, e-mail hash, its key, cursor.

    Either they have the hash under an id that was not known for theirs, or core still has them. Wherever else the
    warehouse knows such an id it must be removed, and its row kept out under every later key:
    that is `promptsales.erasure.removal`'s part.
    """
    if warehouse.execute("select from ops.suppression limit 1").fetchone() is None:
        return []
    values = {"feed": contract.table}
    rows = warehouse.execute(in_core(contract), values).fetchall()
    if contract.email_hmac:
        warehouse.execute(renew(contract), values)
        rows += warehouse.execute(by_hash(contract), values).fetchall()
    return rows


def suppress(contract: Contract, warehouse: psycopg.Connection) -> int:
    """Take erased persons out of the feed's staging, in its transaction; returns how many rows that were."""
    if warehouse.execute("select from ops.suppression limit 1").fetchone() is None:
        return 0
    dropped = warehouse.execute(drop(contract), {"feed": contract.table}).rowcount
    if contract.references:
        warehouse.execute(scrub(contract))
    return dropped


def in_core(contract: Contract) -> sql.Composed:
    """Compose the erased persons' rows of staging that core still has."""
    return _fill(
        """
        select x.key, x.person_hmac, x.pii_kid, x.row_changed_at
        from ops.suppression x join {staging} s on x.key = s.{key}::text
        where x.feed = %(feed)s and exists (select from {core} c where c.{key} = s.{key})
        """,
        contract,
    )


def by_hash(contract: Contract) -> sql.Composed:
    """Compose the rows of staging that have an erased person's e-mail hash under another id."""
    return _fill(
        """
        select s.{key}::text, s.{email}, s.pii_kid, s.{cursor}
        from {staging} s
        where s.{email} in (select x.person_hmac from ops.suppression x where x.person_hmac is not null)
          and not exists (select from ops.suppression x where x.feed = %(feed)s and x.key = s.{key}::text)
        """,
        contract,
    )


def renew(contract: Contract) -> sql.Composed:
    """Under a new key, learn the new hash from the erased row itself, as long as that is the one that was erased."""
    return _fill(
        """
        update ops.suppression x set person_hmac = s.{email}, pii_kid = s.pii_kid
        from {staging} s
        where x.feed = %(feed)s and x.key = s.{key}::text and x.pii_kid < s.pii_kid and s.{email} is not null
          and x.row_changed_at = s.{cursor}
        """,
        contract,
    )


def drop(contract: Contract) -> sql.Composed:
    """Take erased persons' rows out of staging."""
    return _fill(
        "delete from {staging} s using ops.suppression x where x.feed = %(feed)s and x.key = s.{key}::text", contract
    )


def scrub(contract: Contract) -> sql.Composed:
    """Put nobody's id in the place of an erased person's, wherever another row names it."""
    names = [sql.Identifier(name) for name in contract.references]
    return sql.SQL("""
        update {staging}
        set {replaced}
        where {named}
    """).format(
        staging=staging(contract),
        replaced=in_lines(sql.SQL("{} = {}").format(name, unnamed(name)) for name in names),
        named=in_lines(map(is_erased, names), " or"),
    )


def _fill(template: str, contract: Contract) -> sql.Composed:
    return sql.SQL(template).format(
        staging=staging(contract),
        core=core(contract),
        key=sql.Identifier(contract.key),
        cursor=sql.Identifier(contract.cursor),
        **({"email": sql.Identifier(contract.email_hmac)} if contract.email_hmac else {}),
    )

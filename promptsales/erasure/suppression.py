"""Keep erased persons out: a load drops their rows and replaces their ids in other rows."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import args_row

from promptsales.errors import TerminalError
from promptsales.feeds.staging import core, staging
from promptsales.names import in_lines
from promptsales.specs.feed import Contract

# replaces the id of an erased person; marts show such a reference as 'Unknown'
NOBODY = "00000000-0000-0000-0000-000000000000"

# advisory lock: builds of marts hold it shared, an erasure exclusively
BUILD_LOCK = 7_406_001
# advisory lock: transactions of the stream hold it shared, an erasure exclusively
STREAM_LOCK = 7_406_002
# the first statements of a transaction of the stream; the worker retries it when the lock takes longer than 5 s
EXCLUDE_ERASURES = (
    f"select set_config('lock_timeout', '5s', true), pg_advisory_xact_lock_shared({STREAM_LOCK})".encode(),
    b"set local lock_timeout to default",
)

# ids are searched as text in all tables; shorter ones would match other rows by chance
SHORTEST = 16
# a query on another server gets these ids as a parameter instead (`stream/compare.py`)
ERASED = sql.SQL("(select key from ops.suppression where length(key) >= {})").format(sql.Literal(SHORTEST))

# a person has an id as lead, contact and user, and a few duplicates; what takes more ids may take strangers
MOST_IDS = 10


class ErasedRow(NamedTuple):
    """A row of an erased person, with the columns of ``ops.suppression``."""

    feed: str
    key: str
    email_hmac: bytes | None = None
    pii_kid: int | None = None
    row_changed_at: datetime | None = None


def is_erased(value: sql.Composable, erased: sql.Composable = ERASED) -> sql.Composed:
    """Compose the condition that an id belongs to an erased person."""
    return sql.SQL("{}::text in {}").format(value, erased)


def replace_erased(value: sql.Composable, erased: sql.Composable = ERASED) -> sql.Composed:
    """Compose a reference to another row in which the id of an erased person is replaced by nobody."""
    # a literal, because it takes the type of the column, which is uuid or text; a parameter would be text
    return sql.SQL("""case when {}
                    then {} else {} end""").format(is_erased(value, erased), sql.Literal(NOBODY), value)


def replace_erased_in(payload: sql.Composable, names: Iterable[str]) -> sql.Composed:
    """Compose the references of a JSON payload in the same way, without adding those that it lacks."""
    values = [
        sql.SQL("{}::text, {}").format(sql.Literal(name), replace_erased(sql.SQL("({} ->> {})").format(payload, name)))
        for name in names
    ]
    return sql.SQL("jsonb_strip_nulls(jsonb_build_object({}))").format(in_lines(values))


def find_erased(contract: Contract, warehouse: psycopg.Connection) -> list[ErasedRow]:
    """Return the rows of staging that belong to an erased person and are not removed everywhere.

    Either core still has them, or they have the person's e-mail hash under an id that is not suppressed. The caller
    must pass them to `promptsales.erasure.removal`, which removes and suppresses them.

    Raises:
        TerminalError: when more than `MOST_IDS` rows of core would become an erased person's at once.
    """
    if warehouse.execute("select from ops.suppression limit 1").fetchone() is None:
        return []
    values = {"feed": contract.table}
    with warehouse.cursor(row_factory=args_row(partial(ErasedRow, contract.table))) as cursor:
        rows = cursor.execute(in_core(contract), values).fetchall()
        if contract.email_hmac:
            cursor.execute(renew(contract), values)
            met = cursor.execute(by_hash(contract), values).fetchall()
            if len(met) > MOST_IDS:
                _refuse_many(contract, warehouse, met)
            rows += met
    return rows


def _refuse_many(contract: Contract, warehouse: psycopg.Connection, met: list[ErasedRow]) -> None:
    query = _fill("select count(*) from {core} where {key}::text = any(%s)", contract)
    # core loses nothing by a row that it never had
    (held,) = warehouse.execute(query, [[row.key for row in met]]).fetchone() or (0,)
    if held > MOST_IDS:
        raise TerminalError(
            f"feed {contract.table}: {held} rows that core holds now have the e-mail hash of an erased person, more "
            f"than {MOST_IDS}; nothing was erased or loaded; correct the address at the source, or run `promptsales "
            "pii erase` for each of their ids"
        )


def suppress(contract: Contract, warehouse: psycopg.Connection) -> int:
    """Drop the rows of erased persons from staging, replace their ids in other rows, and return how many dropped."""
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
    """Under a new key, store the new hash of an erased row, if the row has not changed since it was erased."""
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
    """Delete the rows of erased persons from staging."""
    return _fill(
        "delete from {staging} s using ops.suppression x where x.feed = %(feed)s and x.key = s.{key}::text", contract
    )


def scrub(contract: Contract) -> sql.Composed:
    """Replace the ids of erased persons by nobody in all references of staging."""
    names = [sql.Identifier(name) for name in contract.references]
    return sql.SQL("""
        update {staging}
        set {replaced}
        where {named}
    """).format(
        staging=staging(contract),
        replaced=in_lines(sql.SQL("{} = {}").format(name, replace_erased(name)) for name in names),
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

"""Erased persons stay out: what a load does with their rows, and with their ids in the rows of others."""

import psycopg
from psycopg import sql

from promptsales.contracts import Contract
from promptsales.load.statements import staging

# stands in the place of an erased person's id; a missing parent reads 'Unknown' in a mart (domain.md section 2.2)
NOBODY = "00000000-0000-0000-0000-000000000000"


def suppress(contract: Contract, warehouse: psycopg.Connection) -> int:
    """Take erased persons out of the feed's staging, in its transaction; returns how many rows that were.

    A row is one of theirs by its key, or by the hash of its e-mail address; then its key is remembered too, so that it
    stays out under every later hashing key.
    """
    values = {"feed": contract.table}
    if warehouse.execute("select from ops.suppression limit 1").fetchone() is None:
        return 0
    if contract.email_hmac:
        _renew(contract, warehouse)
        found = warehouse.execute(_fill(_BY_HASH, contract), values).rowcount
        if found:
            _forget(contract, warehouse)
    dropped = warehouse.execute(_fill(_DROP, contract), values).rowcount
    if contract.references:
        warehouse.execute(_scrub(contract))
    return dropped


def _renew(contract: Contract, warehouse: psycopg.Connection) -> None:
    """Under a new key, learn the new hash from the erased row itself, as long as that is the one that was erased."""
    warehouse.execute(_fill(_RENEW, contract), {"feed": contract.table})


_RENEW = """
    update ops.suppression x set person_hmac = s.{email}, pii_kid = s.pii_kid
    from {staging} s
    where x.feed = %(feed)s and x.key = s.{key}::text and x.pii_kid < s.pii_kid and s.{email} is not null
      and x.row_changed_at = s.{cursor}
"""
_BY_HASH = """
    insert into ops.suppression (feed, key, person_hmac, pii_kid, row_changed_at)
    select %(feed)s, s.{key}::text, s.{email}, s.pii_kid, s.{cursor}
    from {staging} s
    where s.{email} in (select x.person_hmac from ops.suppression x where x.person_hmac is not null)
    on conflict do nothing
"""
_DROP = "delete from {staging} s using ops.suppression x where x.feed = %(feed)s and x.key = s.{key}::text"
_FORGET = """
    delete from {table} t using ops.suppression x where x.feed = %(feed)s and x.key = t.{key}::text
"""


def _forget(contract: Contract, warehouse: psycopg.Connection) -> None:
    """A row that core or quarantine know under another address has become an erased person's."""
    values = {"feed": contract.table}
    tables = [contract.table, *([f"{contract.table}_history"] if contract.history else [])]
    for table in tables:
        name = sql.Identifier("core", table)
        warehouse.execute(sql.SQL(_FORGET).format(table=name, key=sql.Identifier(contract.key)), values)
    mine = "q.feed = %(feed)s and q.key in (select x.key from ops.suppression x where x.feed = %(feed)s)"
    warehouse.execute((CLOSE_QUARANTINE + mine).encode(), values)


# what is left of a quarantined row of an erased person: that there was one, and which rules it broke
CLOSE_QUARANTINE = """
    update ops.quarantine q
    set key = 'erased', payload = '{}', is_waived = false, released_at = coalesce(released_at, clock_timestamp()),
        release_reason = coalesce(release_reason, 'suppressed')
    where """


def _scrub(contract: Contract) -> sql.Composed:
    """Put nobody's id in the place of an erased person's, wherever another row names it."""
    # a literal, not a parameter: it takes each column's own type, and an id may be uuid or text
    replaced = [
        sql.SQL("{0} = case when {0}::text in (select key from ops.suppression) then {1} else {0} end").format(
            sql.Identifier(name), sql.Literal(NOBODY)
        )
        for name in contract.references
    ]
    named = [
        sql.SQL("{}::text in (select key from ops.suppression)").format(sql.Identifier(name))
        for name in contract.references
    ]
    return sql.SQL("update {} set {} where {}").format(
        staging(contract), sql.SQL(", ").join(replaced), sql.SQL(" or ").join(named)
    )


def _fill(template: str, contract: Contract) -> sql.Composed:
    return sql.SQL(template).format(
        staging=staging(contract),
        key=sql.Identifier(contract.key),
        cursor=sql.Identifier(contract.cursor),
        **({"email": sql.Identifier(contract.email_hmac)} if contract.email_hmac else {}),
    )

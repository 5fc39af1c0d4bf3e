"""Load a feed under a new hashing key: accept the key, bridge old hashes to new ones, and remove the old ones.

A load under a new key reads its source in full and publishes new hashes. The bridge maps each old hash to its new one.
Rows that are no longer at the source cannot be hashed again and lose their hashes.
"""

from collections.abc import Iterator

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from promptsales.errors import SourceRefused
from promptsales.extract import delta
from promptsales.feeds import state
from promptsales.feeds.models import Staged, Window
from promptsales.feeds.staging import core, staging
from promptsales.hashing.keys import CONTENT_KEY, CheckedKey
from promptsales.names import in_lines
from promptsales.specs.feed import Contract

Key = CheckedKey | None

# replaces a hash in a column that may not be null
NOBODY = sql.SQL("''::bytea")


def is_rekeyed(contract: Contract, warehouse: psycopg.Connection, key: Key, known: Key, window: Window | None) -> bool:
    """Return whether the source hashes with the newer key of a rotation that `promptsales pii rotate` has started.

    Args:
        contract: the feed.
        warehouse: the warehouse.
        key: number and check value of the key the source hashes with now.
        known: number and check value of the key the feed was loaded with.
        window: the window that the load replays, if any.

    Raises:
        SourceRefused: for any other change of the key, or when a window is replayed before the feed has the new key.
    """
    if known is None or key == known:
        return False
    values = {"kid": key.kid if key else None, "is_content": contract.key_file == CONTENT_KEY}
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        rotation = cursor.execute(state.statement("rotation"), values).fetchone()
    if key is None or key.kid < known.kid or rotation is None or bytes(rotation[0]) != key.check:
        delta.refuse_changed_key(contract, key, known)
        return False
    if window is not None:
        raise SourceRefused(
            f"feed {contract.table}: the source hashes with key {key.kid}, core has key {known.kid}; a window can be "
            "replayed only after the whole feed has the new key: run `promptsales pii rotate`"
        )
    return True


def build_bridge(contract: Contract, warehouse: psycopg.Connection, staged: Staged) -> None:
    """Map old hashes to new ones; call it in the publish transaction, before core changes.

    Only rows whose cursor has not moved are used: their values are those that were hashed with the old key.
    """
    if (old_kid := _old_kid(warehouse, staged)) is None:
        return
    values = {"feed": staged.feed, "old_kid": old_kid, "kid": staged.progress.pii_kid}
    for statement in bridge(contract):
        warehouse.execute(statement, values)


def replace_rest(contract: Contract, warehouse: psycopg.Connection, staged: Staged) -> None:
    """Remove all hashes of the old key; call it in the publish transaction, after core changed and before `finish`."""
    if _old_kid(warehouse, staged) is None:
        return
    values = {"feed": staged.feed, "extraction": staged.extraction, "kid": staged.progress.pii_kid}
    for statement in rest(contract):
        warehouse.execute(statement, values)


def _old_kid(warehouse: psycopg.Connection, staged: Staged) -> int | None:
    """Return the number of the key core is hashed with if this load brings another key, else None."""
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("select pii_kid from ops.feed where feed = %s", [staged.feed]).fetchone()
    known = row[0] if row else None
    return known if known is not None and known != staged.progress.pii_kid else None


_BRIDGE = """
    insert into ops.pii_bridge (feed, column_name, old_hmac, old_kid, new_hmac, new_kid, expires_at)
    select distinct on (old_hmac) %(feed)s, {name}, old_hmac, %(old_kid)s::integer, new_hmac, %(kid)s::integer,
           clock_timestamp() + make_interval(days => r.bridge_days)
    from ({pairs}) p join ops.pii_rotation r on r.kid = %(kid)s
    where old_hmac is not null and new_hmac is not null and r.bridge_days > 0
    on conflict do nothing
"""
_FROM_CORE = _BRIDGE.replace(
    "{pairs}",
    """
    select c.{column} as old_hmac, s.{column} as new_hmac
    from {core} c join {staging} s using ({key})
    where c.pii_kid = %(old_kid)s and s.pii_kid = %(kid)s and c.{cursor} = s.{cursor}
    """,
)
_FROM_QUARANTINE = _BRIDGE.replace(
    "{pairs}",
    """
    select decode(substr(q.payload ->> {name}, 3), 'hex') as old_hmac, s.{column} as new_hmac
    from ops.quarantine q join {staging} s on q.key = s.{key}::text
    where q.feed = %(feed)s and (q.payload ->> 'pii_kid')::integer = %(old_kid)s
      and (q.payload ->> {cursor_name})::timestamptz = s.{cursor}
    """,
)


def bridge(contract: Contract) -> Iterator[sql.Composed]:
    """Yield the statements that map the old hashes of each hashed column to the new ones, in core and in quarantine."""
    for column in contract.hashed_columns:
        for template in (_FROM_CORE, _FROM_QUARANTINE):
            yield _fill(template, contract, column=sql.Identifier(column), name=sql.Literal(column))


def rest(contract: Contract) -> Iterator[sql.Composed]:
    """Yield the statements that remove hashes of the old key, in core and then in quarantine."""
    columns = contract.hashed_columns
    required = {column.name for column in contract.columns if column.required}
    # the newest version of these rows is in quarantine, so core keeps its older version and takes the new hashes only
    yield _fill(
        """
        update {core} c
        set {set}, _extraction = %(extraction)s
        from {staging} s
        where s.{key} = c.{key} and c.pii_kid <> %(kid)s and s.pii_kid = %(kid)s
        """,
        contract,
        set=_set({name: sql.SQL("coalesce(s.{}, {})").format(sql.Identifier(name), _none(name, required))
                  for name in columns}),
    )  # fmt: skip
    # these rows are no longer at the source; _extraction stays, it tells which reconciliation deleted them
    yield _fill(
        """
        update {core} c
        set {set}
        where c.pii_kid <> %(kid)s
        """,
        contract,
        set=_set({name: _none(name, required) for name in columns}),
    )
    yield sql.SQL("""
        update ops.quarantine
        set payload = payload - {columns}::text[] || jsonb_build_object('pii_kid', %(kid)s::integer)
        where feed = %(feed)s and (payload ->> 'pii_kid')::integer <> %(kid)s
    """).format(columns=sql.Literal(list(columns)))


def _set(values: dict[str, sql.Composable]) -> sql.Composed:
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in values.items()]
    return in_lines([*assignments, sql.SQL("pii_kid = %(kid)s")])


def _none(name: str, required: set[str]) -> sql.SQL:
    return NOBODY if name in required else sql.SQL("null::bytea")


def _fill(template: str, contract: Contract, **more: sql.Composable) -> sql.Composed:
    return sql.SQL(template).format(
        core=core(contract),
        staging=staging(contract),
        key=sql.Identifier(contract.key),
        cursor=sql.Identifier(contract.cursor),
        cursor_name=sql.Literal(contract.cursor),
        **more,
    )

"""The statements that judge staging and move what is bad to quarantine and back, composed from a feed's contract."""

from psycopg import sql

from promptsales.feeds.staging import filled, staging
from promptsales.quality.sql_rules import found_by
from promptsales.specs.feed import Contract

# what staging has beside the target's columns
STAGING_ONLY = ("_load_id", "_row", "_rules")
# where there are any, they belong to what is judged: a repaired field may read the same, null, as the bad one
MISFITS = "_misfits"
# how quarantine's name of a row without a key begins; due.sql knows it too
KEYLESS = "without key "

# after many rows went in: the next load looks all of them up
analyze = b"analyze ops.quarantine (feed, key, released_at, is_waived)"


def drop_held(contract: Contract) -> sql.Composed:
    """Take the rows out of staging that lie in quarantine just so, judged by this suite and not a day ago."""
    return filled(
        """
        delete from {staging} s using ops.quarantine q
        where q.feed = %(feed)s
          and q.key = {name}
          and q.released_at is null and not q.is_waived
          and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
          and q.payload = {payload}
        """,
        contract,
        name=_name(contract),
        payload=_payload(),
    )


def clear_verdicts(contract: Contract) -> sql.Composed:
    """Forget what an earlier try of the same check found, but for the fields that the extract found of a wrong type."""
    return filled("update {staging} set _rules = _misfits where _rules is distinct from _misfits", contract)


def mark(contract: Contract) -> sql.Composed:
    """Write down which row rule the rows broke."""
    return filled("update {staging} set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s)", contract)


def mark_found(contract: Contract, query: str) -> sql.Composed:
    """Write down which row rule the rows broke whose keys a query of the suite selects."""
    # with parameters, a percent sign of the rule's own is written twice
    found = sql.SQL(found_by(query, staging(contract)).replace("%", "%%"))
    return filled(
        "update {staging} set _rules = array_append(_rules, %(rule)s) where {key} in ({found})", contract, found=found
    )


def waive(contract: Contract) -> sql.Composed:
    """Let rows pass that were released by hand and have not changed since, but for the key they are hashed with.

    One that was published by its release counts too: under a new key it comes again.
    """
    return filled(
        """
        update {staging} s set _rules = null from ops.quarantine q
        where s._rules is not null and q.feed = %(feed)s and q.key = s.{key}::text
          and q.is_waived
          and (q.payload = {payload}
               -- hashed with another key since, but the same version: the cursor is part of it
               or q.payload -> 'pii_kid' <> {payload} -> 'pii_kid'
                  and q.payload - {hashed}::text[] = {payload} - {hashed}::text[])
        """,
        contract,
        payload=_payload(),
        hashed=sql.Literal([*contract.hashed_columns, "pii_kid"]),
    )


def let_deletes_pass(contract: Contract) -> sql.Composed:
    """A delete says of its row only that it is gone: core has the rest, by a release or by rules of then."""
    return filled("update {staging} set _rules = null where deleted_at is not null and _rules is not null", contract)


def count_marked(contract: Contract) -> sql.Composed:
    """How many rows of this load broke a row rule."""
    return filled("select count(*) from {staging} where _rules is not null", contract)


def hold(contract: Contract) -> sql.Composed:
    """Move the marked rows to quarantine; a key that is there already is counted as tried once more."""
    return filled(
        """
        insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
        select distinct on ({name})
               %(feed)s,
               {name},
               %(extraction)s, s._rules, %(suite_checksum)s,
               {payload},
               exists (select from {core} c where c.{key} = s.{key})
        from {staging} s where s._rules is not null
        on conflict (feed, key) where released_at is null do update
        set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
            payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
            last_tried_at = clock_timestamp(), tries = q.tries + 1
        """,
        contract,
        name=_name(contract),
        payload=_payload(),
    )


def release(contract: Contract) -> sql.Composed:
    """Close the quarantine of keys whose row is published now."""
    return filled(
        """
        update ops.quarantine q
        set released_at = clock_timestamp(), release_reason = {reason}
        from {staging} s
        where s._rules is null and q.feed = %(feed)s and q.key = s.{key}::text and q.released_at is null
        """,
        contract,
        reason=sql.SQL("case when {} then 'deleted' when q.is_waived then 'waived' else 'repaired' end").format(
            sql.SQL("s.deleted_at is not null" if contract.path == "change_stream" else "false")
        ),
    )


def _name(contract: Contract) -> sql.Composed:
    """What quarantine calls a row: its key; a row without one by its content, which cannot be read again by key."""
    return sql.SQL("coalesce(s.{key}::text, {prefix} || md5(({payload})::text))").format(
        key=sql.Identifier(contract.key), prefix=sql.Literal(KEYLESS), payload=_payload()
    )


def _payload() -> sql.Composable:
    # with the star a column that is called s is not taken for the row
    return sql.SQL("to_jsonb(s.*) - {}::text[] - case when s._misfits is null then {} else '' end").format(
        sql.Literal(list(STAGING_ONLY)), sql.Literal(MISFITS)
    )

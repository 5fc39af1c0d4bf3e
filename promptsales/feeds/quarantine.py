"""The statements that mark bad rows of staging and move them to quarantine, composed from a feed's contract."""

from psycopg import sql

from promptsales.feeds.staging import fill, staging
from promptsales.quality.sql_rules import compose_rule_query
from promptsales.specs.feed import Contract

STAGING_ONLY = ("_load_id", "_row", "_rules")
# part of the payload: a misfit field and the null it is repaired to are both null in their column
MISFITS = "_misfits"
# prefix of the name of a row without a key; load/due.sql has it too
KEYLESS = "without key "

# needed after many rows went in: the next load looks up each of them
ANALYZE = b"analyze ops.quarantine (feed, key, released_at, is_waived)"

# how a row comes into quarantine, whether a load or the stream brings it
INSERT = sql.SQL(
    "insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)"
)
# a key has at most one open row: a newer version replaces it, and one more try is counted
UPDATE_OPEN = sql.SQL("""on conflict (feed, key) where released_at is null do update
        set extraction = excluded.extraction, rules = excluded.rules, suite_checksum = excluded.suite_checksum,
            payload = excluded.payload, is_core_stale = excluded.is_core_stale, is_waived = false,
            last_tried_at = clock_timestamp(), tries = q.tries + 1""")


def drop_held(contract: Contract) -> sql.Composed:
    """Delete the rows of staging that are in quarantine with the same values, checked by this suite within a day."""
    return fill(
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
    """Clear the marks of an earlier attempt of the check; the misfits that the extract step marked stay."""
    return fill("update {staging} set _rules = _misfits where _rules is distinct from _misfits", contract)


def mark_rows(contract: Contract) -> sql.Composed:
    """Add a row rule to the marks of the rows with these numbers."""
    return fill("update {staging} set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s)", contract)


def mark_selected(contract: Contract, query: str) -> sql.Composed:
    """Add a row rule to the marks of the rows whose keys a query of the suite selects."""
    # psycopg takes a single percent sign in the rule's query for a placeholder
    keys = sql.SQL(compose_rule_query(query, staging(contract)).replace("%", "%%"))
    return fill(
        "update {staging} set _rules = array_append(_rules, %(rule)s) where {key} in ({found})", contract, found=keys
    )


def waive(contract: Contract) -> sql.Composed:
    """Clear the marks of rows that were released by hand and have not changed since, except for their hashing key.

    This includes rows that were published by their release: a load under a new key reads them again.
    """
    return fill(
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


def accept_deletes(contract: Contract) -> sql.Composed:
    """Clear the marks of deletes: their other values come from core, which accepted them when they were loaded."""
    return fill("update {staging} set _rules = null where deleted_at is not null and _rules is not null", contract)


def count_marked(contract: Contract) -> sql.Composed:
    """Count the rows of this load that break a row rule."""
    return fill("select count(*) from {staging} where _rules is not null", contract)


def hold(contract: Contract) -> sql.Composed:
    """Copy the marked rows to quarantine; for a key that is open there, replace the row and count one more try."""
    return fill(
        """
        {insert}
        select distinct on ({name})
               %(feed)s,
               {name},
               %(extraction)s, s._rules, %(suite_checksum)s,
               {payload},
               exists (select from {core} c where c.{key} = s.{key})
        from {staging} s where s._rules is not null
        {update_open}
        """,
        contract,
        insert=INSERT,
        update_open=UPDATE_OPEN,
        name=_name(contract),
        payload=_payload(),
    )


def close_published(contract: Contract) -> sql.Composed:
    """Close the open rows of quarantine whose key this load publishes."""
    return fill(
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
    """Return the name of a row in quarantine: its key, or a digest of its content where the key is null."""
    return sql.SQL("coalesce(s.{key}::text, {prefix} || md5(({payload})::text))").format(
        key=sql.Identifier(contract.key), prefix=sql.Literal(KEYLESS), payload=_payload()
    )


def _payload() -> sql.Composable:
    # `s` alone would mean a column of that name, if there is one
    return sql.SQL("to_jsonb(s.*) - {}::text[] - case when s._misfits is null then {} else '' end").format(
        sql.Literal(list(STAGING_ONLY)), sql.Literal(MISFITS)
    )

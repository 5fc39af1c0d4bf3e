"""The statements of a load that depend on the feed's columns, composed from its contract."""

from psycopg import sql

from promptsales.contracts import Contract, Touched

# what staging has beside the target's columns
STAGING_ONLY = ("_load_id", "_row", "_rules")
# where there are any, they belong to what is judged: a repaired field may read the same, null, as the bad one
MISFITS = "_misfits"
# how quarantine's name of a row without a key begins; due.sql knows it too
KEYLESS = "without key "


def staging(contract: Contract) -> sql.Identifier:
    """``staging.<source>__<table>``."""
    return sql.Identifier("staging", contract.staging)


def core(contract: Contract) -> sql.Identifier:
    """``core.<table>``."""
    return sql.Identifier("core", contract.table)


def _list(names: tuple[str, ...], prefix: str = "") -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(prefix, name) if prefix else sql.Identifier(name) for name in names)


def _fill(template: str, contract: Contract, **more: sql.Composable) -> sql.Composed:
    return sql.SQL(template).format(
        staging=staging(contract),
        core=core(contract),
        history=sql.Identifier("core", f"{contract.table}_history"),
        key=sql.Identifier(contract.key),
        cursor=sql.Identifier(contract.cursor),
        columns=_list(contract.column_names),
        staged=_list(contract.column_names, "s"),
        current=_list(contract.column_names, "c"),
        **more,
    )


def truncate(contract: Contract) -> sql.Composed:
    """Empty the feed's staging table; waits for a run that is still writing there."""
    return _fill("truncate {staging}", contract)


def copy_in(contract: Contract) -> sql.Composed:
    """The COPY into staging that takes the blocks of the COPY out of the source."""
    return _fill("copy {staging} ({columns}, _load_id) from stdin (format binary)", contract)


def analyze(contract: Contract) -> sql.Composed:
    """Let the planner know how much of staging may be known to core already; else it reads all of core to be safe."""
    return _fill("analyze {staging} ({key}, {cursor})", contract)


def drop_unchanged(contract: Contract) -> sql.Composed:
    """Take the rows that equal core out of staging, but for keys in quarantine: publishing those releases them.

    A row changed since the last load read its source cannot be in core yet, so only the others are looked up there.
    """
    return _fill(
        """
        delete from {staging} s using {core} c
        where s.{cursor} <= %(seen_through)s and s._misfits is null
          and c.{key} = s.{key} and row({staged}) is not distinct from row({current})
          and not exists (
              select from ops.quarantine q where q.feed = %(feed)s and q.key = s.{key}::text and q.released_at is null
          )
        """,
        contract,
    )


def drop_held(contract: Contract) -> sql.Composed:
    """Take the rows out of staging that lie in quarantine just so, judged by this suite and not a day ago."""
    return _fill(
        """
        delete from {staging} s using ops.quarantine q
        where q.feed = %(feed)s and q.key = {name} and q.released_at is null and not q.is_waived
          and q.suite_checksum = %(suite_checksum)s and q.last_tried_at >= %(read_at)s - interval '1 day'
          and q.payload = {payload}
        """,
        contract,
        name=_name(contract),
        payload=_payload(),
    )


def count_staged(contract: Contract) -> sql.Composed:
    """How many rows of this load lie in staging."""
    return _fill("select count(*) from {staging} where _load_id = %(extraction)s", contract)


def clear_verdicts(contract: Contract) -> sql.Composed:
    """Forget what an earlier try of the same check found, but for the fields that the extract found of a wrong type."""
    return _fill("update {staging} set _rules = _misfits where _rules is distinct from _misfits", contract)


def mark(contract: Contract) -> sql.Composed:
    """Write down which row rule the rows broke."""
    return _fill("update {staging} set _rules = array_append(_rules, %(rule)s) where _row = any(%(rows)s)", contract)


def mark_found(contract: Contract, query: str) -> sql.Composed:
    """Write down which row rule the rows broke whose keys a query of the suite selects."""
    # the same text as Great Expectations runs: braces are its own
    found = sql.SQL(query).format(batch=staging(contract))
    return _fill(
        "update {staging} set _rules = array_append(_rules, %(rule)s) where {key} in ({found})", contract, found=found
    )


def waive(contract: Contract) -> sql.Composed:
    """Let rows pass that were released by hand and have not changed since, but for the key they are hashed with."""
    return _fill(
        """
        update {staging} s set _rules = null from ops.quarantine q
        where s._rules is not null and q.feed = %(feed)s and q.key = s.{key}::text
          and q.released_at is null and q.is_waived
          and (q.payload = {payload}
               -- hashed with another key since, but the same version: the cursor is part of it
               or q.payload -> 'pii_kid' <> {payload} -> 'pii_kid'
                  and q.payload - {hashed}::text[] = {payload} - {hashed}::text[])
        """,
        contract,
        payload=_payload(),
        hashed=sql.Literal([*contract.hashed_columns, "pii_kid"]),
    )


def count_marked(contract: Contract) -> sql.Composed:
    """How many rows of this load broke a row rule."""
    return _fill("select count(*) from {staging} where _rules is not null", contract)


def quarantine(contract: Contract) -> sql.Composed:
    """Move the marked rows to quarantine; a key that is there already is counted as tried once more."""
    return _fill(
        """
        insert into ops.quarantine as q (feed, key, extraction, rules, suite_checksum, payload, is_core_stale)
        select distinct on ({name})
               %(feed)s, {name}, %(extraction)s, s._rules, %(suite_checksum)s, {payload},
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
    return _fill(
        """
        update ops.quarantine q
        set released_at = clock_timestamp(), release_reason = case when q.is_waived then 'waived' else 'repaired' end
        from {staging} s
        where s._rules is null and q.feed = %(feed)s and q.key = s.{key}::text and q.released_at is null
        """,
        contract,
    )


def soft_delete(contract: Contract) -> sql.Composed:
    """Mark rows of core as deleted that the source has no more, and note the touched days; the count."""
    return _fill(
        """
        with merged as (
            update {core} c
            set deleted_at = coalesce(c.deleted_at, %(read_at)s), _extraction = %(extraction)s,
                _loaded_at = clock_timestamp()
            where c.{key} = any(%(keys)s::{type}[])
            returning true as is_gone{touched_columns}
        ){touched_rows}
        select count(*) from merged
        """,
        contract,
        type=sql.SQL(contract.key_type),
        touched_columns=_touched_columns(contract),
        touched_rows=_touched_rows(contract),
    )


def upsert(contract: Contract) -> sql.Composed:
    """Merge staging into core where it differs and is newer, with history and touched days; counts of both kinds.

    All in one statement, so that each row is looked up once, by its key, however large core has become.
    """
    others = tuple(name for name in contract.column_names if name != contract.key)
    return _fill(
        """
        with merged as (
            insert into {core} as c ({columns}, _extraction, _loaded_at)
            select {columns}, %(extraction)s, clock_timestamp() from {staging} where _rules is null order by {key}
            on conflict ({key}) do update
            set {assignments}, _extraction = excluded._extraction, _loaded_at = excluded._loaded_at
            where c._extraction < excluded._extraction and row({current}) is distinct from row({excluded})
            returning old.{key} is null as is_new, new.{key}{history_columns}{touched_columns}
        ){history_rows}{touched_rows}
        select count(*) filter (where is_new), count(*) filter (where not is_new) from merged
        """,
        contract,
        assignments=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others),
        excluded=_list(contract.column_names, "excluded"),
        history_columns=_history_columns(contract),
        history_rows=_history_rows(contract),
        touched_columns=_touched_columns(contract),
        touched_rows=_touched_rows(contract),
    )


def _touched_columns(contract: Contract) -> sql.Composable:
    if contract.touched is None:
        return sql.SQL("")
    return sql.SQL(
        ", old.{entity}::text as old_entity, {old_days}, new.{entity}::text as new_entity, {new_days}"
    ).format(
        entity=sql.Identifier(contract.touched.entity),
        old_days=_days(contract.touched, "old"),
        new_days=_days(contract.touched, "new"),
    )


def _days(touched: Touched, version: str) -> sql.Composed:
    days = (sql.SQL("({} at time zone 'UTC')::date").format(sql.Identifier(version, name)) for name in touched.day)
    return sql.SQL("array[{}] as {}").format(sql.SQL(", ").join(days), sql.Identifier(f"{version}_days"))


def _touched_rows(contract: Contract) -> sql.Composable:
    # a row that moves to another day or entity touches the one it leaves, too
    if contract.touched is None:
        return sql.SQL("")
    return sql.SQL(
        """, touched as (
            insert into ops.touched (core_table, entity_id, day)
            select %(feed)s, entity, day
            from (
                select old_entity, unnest(old_days) from merged union select new_entity, unnest(new_days) from merged
            ) x(entity, day)
            where entity is not null and day is not null
            order by entity, day
            on conflict (core_table, entity_id, day) do update set touched_at = clock_timestamp()
        )"""
    )


def _history_columns(contract: Contract) -> sql.Composable:
    if not contract.history:
        return sql.SQL("")
    return sql.SQL(
        ", new.{cursor} as changed_at, {new}, row({old}) is distinct from row({new}) as is_new_version"
    ).format(
        cursor=sql.Identifier(contract.cursor), old=_list(contract.history, "old"), new=_list(contract.history, "new")
    )


def _history_rows(contract: Contract) -> sql.Composable:
    """A new key gets its first version, valid since ever; of the others the current version ends where the next begins.

    The current version is found by the index that allows one a key. Where a row was taken out of core by hand, history
    may know a version of a key that is new: that version ends now.
    """
    if not contract.history:
        return sql.SQL("")
    return _fill(
        """, ended as (
            insert into {history} as h ({key}, {listed}, valid_from, valid_to)
            select {key}, {listed}, case when is_new then '-infinity' else changed_at end, 'infinity'
            from merged where is_new or is_new_version
            on conflict ({key}) where valid_to = 'infinity' do update
            set valid_to = coalesce(
                nullif(
                    greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
                    '-infinity'
                ),
                clock_timestamp()
            )
            where row({then_listed}) is distinct from row({now_listed})
            returning old.{key} is not null as is_ended, new.{key}, new.valid_to
        ), begun as (
            insert into {history} ({key}, {listed}, valid_from, valid_to)
            select {key}, {listed}, ended.valid_to, 'infinity'
            from ended join merged using ({key}) where ended.is_ended
        )""",
        contract,
        listed=_list(contract.history),
        now_listed=_list(contract.history, "excluded"),
        then_listed=_list(contract.history, "h"),
    )


def _name(contract: Contract) -> sql.Composed:
    """What quarantine calls a row: its key; a row without one by its content, which cannot be read again by key."""
    return sql.SQL("coalesce(s.{key}::text, {prefix} || md5(({payload})::text))").format(
        key=sql.Identifier(contract.key), prefix=sql.Literal(KEYLESS), payload=_payload()
    )


def _payload() -> sql.Composable:
    return sql.SQL("to_jsonb(s) - {}::text[] - case when s._misfits is null then {} else '' end").format(
        sql.Literal(list(STAGING_ONLY)), sql.Literal(MISFITS)
    )

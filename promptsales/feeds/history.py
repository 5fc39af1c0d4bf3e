"""Compose the statements that keep the versions of rows (``TABLE_history``), for loads and for the stream.

Both compare the columns that the contract lists, and both give the first version of a key no beginning. A load knows
the old and the new row in the statement that merges them. The stream may get a change again, and several changes of
one commit, so its statements compare the merged row with the open version.
"""

from typing import NamedTuple

from psycopg import sql

from promptsales.feeds.staging import join_names
from promptsales.names import in_lines


class Versions(NamedTuple):
    """A history table, the key of its rows, and the columns whose change begins a version."""

    table: sql.Identifier
    key: sql.Identifier
    columns: tuple[str, ...]

    def fill(self, template: str, **more: sql.Composable) -> sql.Composed:
        """Return a statement with the history's table, key and columns filled in, and the placeholders in ``more``."""
        return sql.SQL(template).format(
            history=self.table,
            key=self.key,
            listed=join_names(self.columns),
            then_listed=join_names(self.columns, "h"),
            **more,
        )


def versions_of(layer: str, table: str, key: str, columns: tuple[str, ...]) -> Versions:
    """Return the history of a table of the warehouse."""
    return Versions(sql.Identifier(layer, f"{table}_history"), sql.Identifier(key), columns)


def compose_returned(versions: Versions, cursor: str) -> sql.Composed:
    """Compose what the statement that merges a load returns for ``compose_steps``."""
    return sql.SQL(
        """,
                new.{cursor} as _changed_at, {new},
                row({old}) is distinct from row({new}) as _is_new_version"""
    ).format(
        cursor=sql.Identifier(cursor), old=join_names(versions.columns, "old"), new=join_names(versions.columns, "new")
    )


def compose_steps(versions: Versions) -> sql.Composed:
    """Compose the CTEs of a load that give a new key its first version, and end the current version of the other keys.

    The unique index on open versions finds the current version. If somebody deleted a row of core by hand, history may
    have a version of a key that is new to core; that version ends now.
    """
    return versions.fill(
        """, ended as (
            insert into {history} as h ({key}, {listed}, valid_from, valid_to)
            select {key}, {listed}, case when _is_new then '-infinity' else _changed_at end, 'infinity'
            from merged where _is_new or _is_new_version
            on conflict ({key}) where valid_to = 'infinity' do update
            set valid_to = coalesce(
                nullif(
                    greatest(nullif(excluded.valid_from, '-infinity'), h.valid_from + interval '1 microsecond'),
                    '-infinity'
                ),
                clock_timestamp()
            )
            where row({then_listed}) is distinct from row({now_listed})
            returning old.{key} is not null as _is_ended, new.{key}, new.valid_to as _valid_to
        ), begun as (
            insert into {history} ({key}, {listed}, valid_from, valid_to)
            select {key}, {listed}, _valid_to, 'infinity'
            from ended join merged using ({key}) where _is_ended
        )""",
        now_listed=join_names(versions.columns, "excluded"),
    )


def compose_statements(versions: Versions, merged: sql.Composable) -> tuple[sql.Composed, ...]:
    """Compose the stream's statements, to run in this order: amend, close, open. They are idempotent.

    Several changes at one commit time collapse into the last.

    Args:
        versions: the history.
        merged: a relation of the merged rows, with their ``committed_at``.
    """
    now_listed = join_names(versions.columns, "n")
    assignments = in_lines(sql.SQL("{0} = n.{0}").format(sql.Identifier(name)) for name in versions.columns)
    return (
        versions.fill(_AMEND, merged=merged, now_listed=now_listed, assignments=assignments),
        versions.fill(_CLOSE, merged=merged, now_listed=now_listed),
        versions.fill(_OPEN, merged=merged, now_listed=now_listed),
    )


_AMEND = """
    update {history} h set {assignments} from {merged} n
    where h.{key} = n.{key} and h.valid_to = 'infinity' and h.valid_from >= n.committed_at
      and row({now_listed}) is distinct from row({then_listed})
"""
_CLOSE = """
    update {history} h set valid_to = n.committed_at from {merged} n
    where h.{key} = n.{key} and h.valid_to = 'infinity' and row({now_listed}) is distinct from row({then_listed})
"""
_OPEN = """
    insert into {history} ({key}, {listed}, valid_from, valid_to)
    select n.{key}, {now_listed},
           coalesce((select max(h.valid_to) from {history} h where h.{key} = n.{key}), '-infinity'), 'infinity'
    from {merged} n
    where not exists (select from {history} h where h.{key} = n.{key} and h.valid_to = 'infinity')
"""

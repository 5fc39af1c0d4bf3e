"""Decide which of two versions of a row is newer: the order of commits at the source, in Python and in SQL.

``commit`` is the log position after the last commit before the change's own transaction, as Debezium reports it; for a
row read by a snapshot it is the snapshot's position. Transactions are streamed in commit order, so it never decreases
along the stream. A change may lie before a snapshot in the log and still be committed after it.
"""

from typing import NamedTuple

from psycopg import sql

from promptsales.names import identifier

# the columns of a version, in the order of `Version`
COLUMNS = ("src_epoch", "src_commit", "src_lsn", "src_is_snapshot")
# the only definition of the order in SQL; `Version.rank` must match
_RANK = sql.SQL("({src_epoch}, {src_commit}, not {src_is_snapshot}, {src_lsn})")
_TYPES = {"src_epoch": "integer", "src_commit": "bigint", "src_lsn": "bigint", "src_is_snapshot": "boolean"}


class Rank(NamedTuple):
    """The place of a version in the order of commits; the greater one is newer."""

    epoch: int
    commit: int
    is_change: bool
    lsn: int


class Version(NamedTuple):
    """The version of a row in the warehouse."""

    epoch: int
    commit: int
    lsn: int
    is_snapshot: bool

    @property
    def rank(self) -> Rank:
        """Return the place in the order of commits, which decides which of two versions is newer."""
        return Rank(self.epoch, self.commit, not self.is_snapshot, self.lsn)


# rank of the parameters named as the fields of `Version`
RANK_OF_PARAMETERS = _RANK.format(
    **{name: sql.Placeholder(part) for name, part in zip(COLUMNS, Version._fields, strict=True)}
)
# the columns of a version with their types, for `jsonb_to_record`
TYPED = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_TYPES[name])) for name in COLUMNS)


def version_of(relation: str, prefix: str = "") -> sql.Composed:
    """Compose the columns of a version, in the order of `Version`."""
    return sql.SQL(", ").join(identifier(relation, prefix + name) for name in COLUMNS)


def rank_of(relation: str, prefix: str = "") -> sql.Composed:
    """Compose the rank of a relation's rows."""
    return _RANK.format(**{name: identifier(relation, prefix + name) for name in COLUMNS})


def rank_of_payload(column: str) -> sql.Composed:
    """Compose the rank of quarantine rows from the JSON payload that ``column`` names."""
    return _RANK.format(
        **{
            name: sql.SQL("({}->>{})::{}").format(sql.SQL(column), sql.Literal(name), sql.SQL(_TYPES[name]))
            for name in COLUMNS
        }
    )


def rank_of_truncation(relation: str) -> sql.Composed:
    """Compose the rank of a TRUNCATE, which is never part of a snapshot."""
    parts = {name: identifier(relation, name) for name in COLUMNS[:-1]}
    return _RANK.format(**parts, src_is_snapshot=sql.SQL("false"))

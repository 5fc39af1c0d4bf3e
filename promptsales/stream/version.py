"""Which of two versions of a row is the newer: the order in which the source committed them, in Python and in SQL.

``commit`` is the position in the source's log behind the commit before the change's own transaction, as Debezium says
it; of a row that a snapshot read it is the snapshot's position. Transactions are streamed in the order of their
commits, so it never falls along the stream. A change may lie before a snapshot in the log, and be committed after it.
"""

from typing import NamedTuple

from psycopg import sql

from promptsales.names import identifier

# what is kept of a version, in the order of `Version`
COLUMNS = ("src_epoch", "src_commit", "src_lsn", "src_is_snapshot")
# the one place that says in which order the parts decide; `Version.rank` is the same
_RANK = sql.SQL("({src_epoch}, {src_commit}, not {src_is_snapshot}, {src_lsn})")
_TYPES = {"src_epoch": "integer", "src_commit": "bigint", "src_lsn": "bigint", "src_is_snapshot": "boolean"}

Rank = tuple[int, int, bool, int]


class Version(NamedTuple):
    """A row's version in the warehouse."""

    epoch: int
    commit: int
    lsn: int
    is_snapshot: bool

    @property
    def rank(self) -> Rank:
        """What decides which of two versions is the newer."""
        return self.epoch, self.commit, not self.is_snapshot, self.lsn


# of the parameters that `Version` names
RANK_OF_PARAMETERS = _RANK.format(
    **{name: sql.Placeholder(part) for name, part in zip(COLUMNS, Version._fields, strict=True)}
)
# the columns of a version in a record of JSON
TYPED = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_TYPES[name])) for name in COLUMNS)


def version_of(relation: str, prefix: str = "") -> sql.Composed:
    """Compose the columns of a version, for `Version`."""
    return sql.SQL(", ").join(identifier(relation, prefix + name) for name in COLUMNS)


def rank_of(relation: str, prefix: str = "") -> sql.Composed:
    """Compose the rank of a relation's rows."""
    return _RANK.format(**{name: identifier(relation, prefix + name) for name in COLUMNS})


def rank_of_payload(column: str) -> sql.Composed:
    """Compose the rank of rows of quarantine: of their payload, the JSON that ``column`` names."""
    return _RANK.format(
        **{
            name: sql.SQL("({}->>{})::{}").format(sql.SQL(column), sql.Literal(name), sql.SQL(_TYPES[name]))
            for name in COLUMNS
        }
    )


def rank_of_truncation(relation: str) -> sql.Composed:
    """Compose the rank of a TRUNCATE, which no snapshot reads."""
    parts = {name: identifier(relation, name) for name in COLUMNS[:-1]}
    return _RANK.format(**parts, src_is_snapshot=sql.SQL("false"))

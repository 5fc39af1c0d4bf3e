"""A batch of decoded messages, sorted into what one transaction does with it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, Self

from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import RowChange
from promptsales.stream.truncations import Truncation


class Offset(NamedTuple):
    """How far a partition is applied once the batch is; ``unnamed`` counts events with a field that no contract names.

    ``gap_from`` and ``gap_to`` are the first missing offset and the first one after it, and ``gap_epoch`` is the epoch
    of the event behind the gap. Without a gap, ``gap_epoch`` is the epoch of the first event.
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    source_at: datetime | None
    source_lsn: int | None
    unnamed: int
    gap_from: int | None = None
    gap_to: int | None = None
    gap_epoch: int | None = None


class Batch(NamedTuple):
    """Decoded messages, and how far each partition is applied once the batch is."""

    changes: tuple[RowChange, ...]
    dead: tuple[DeadLetter, ...]
    offsets: tuple[Offset, ...]
    truncations: tuple[Truncation, ...] = ()

    def split(self) -> tuple[Self, Self]:
        """Return two halves of the changes; everything else goes with the second, which is applied last."""
        middle = len(self.changes) // 2
        return type(self)(self.changes[:middle], (), ()), self._replace(changes=self.changes[middle:])

    def tables(self) -> list[str]:
        """Return the tables that the batch changes, sorted, because that is the order of locks."""
        return sorted({change.table for change in self.changes})

    def changes_to_merge(self, table: str) -> list[RowChange]:
        """Return every version of a table's rows that passes the rules."""
        return [change for change in self.changes if change.table == table and not change.broken]

    def changes_to_quarantine(self, table: str) -> list[RowChange]:
        """Return the newest version of each row of a table that breaks a rule."""
        return keep_newest(change for change in self.changes if change.table == table and change.broken)


def keep_newest(changes: Iterable[RowChange]) -> list[RowChange]:
    """Return the newest version of each row."""
    newest: dict[object, RowChange] = {}
    for change in changes:
        known = newest.get(change.key)
        if known is None or known.version < change.version:
            newest[change.key] = change
    return list(newest.values())


def split_into_rounds(changes: Iterable[RowChange]) -> Iterator[list[RowChange]]:
    """Yield the versions of all rows in rounds: one version of each row at a time, oldest first, for the history.

    Of several versions in one commit only the last counts. A delete does not replace the version before it, because it
    does not carry the row's values.
    """
    versions: dict[object, list[RowChange]] = {}
    for change in sorted(changes, key=lambda change: change.version):
        mine = versions.setdefault(change.key, [])
        if mine and mine[-1].version == change.version:
            continue
        if mine and mine[-1].committed_at == change.committed_at and not change.row.is_deleted:
            mine.pop()
        mine.append(change)
    while versions:
        yield [mine.pop(0) for mine in versions.values()]
        versions = {key: mine for key, mine in versions.items() if mine}

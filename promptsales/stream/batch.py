"""A batch of decoded messages, sorted into what one transaction does with it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, Self

from promptsales.stream.decode import Change, DeadLetter
from promptsales.stream.truncations import Truncation


class Offset(NamedTuple):
    """How far a partition is applied, once the batch is; ``unnamed`` of its events had a field no contract names.

    ``gap_from`` and ``gap_to`` are the first and the following offset of what is missing within the batch, and
    ``gap_epoch`` is the epoch of the event behind it; where nothing is missing, that of the first event.
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
    """What came, decoded; and how far each partition is when it is applied."""

    changes: tuple[Change, ...]
    dead: tuple[DeadLetter, ...]
    offsets: tuple[Offset, ...]
    truncations: tuple[Truncation, ...] = ()

    def halves(self) -> tuple[Self, Self]:
        """Both halves of the changes; what else there is goes with the second, which is applied last."""
        middle = len(self.changes) // 2
        return type(self)(self.changes[:middle], (), ()), self._replace(changes=self.changes[middle:])

    def tables(self) -> list[str]:
        """The tables it changes, always in the same order: that of locks."""
        return sorted({change.table for change in self.changes})

    def good(self, table: str) -> list[Change]:
        """The versions of a table's rows that keep the rules."""
        return [change for change in self.changes if change.table == table and not change.broken]

    def bad(self, table: str) -> list[Change]:
        """The newest version of each row of a table that breaks a rule."""
        return latest(change for change in self.changes if change.table == table and change.broken)


def latest(changes: Iterable[Change]) -> list[Change]:
    """The newest version of each row."""
    found: dict[object, Change] = {}
    for change in changes:
        known = found.get(change.key)
        if known is None or known.version < change.version:
            found[change.key] = change
    return list(found.values())


def rounds(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Every version of each row, one a round, the oldest first: what a history needs.

    Of the versions of one commit only the last counts, unless it is a delete, which does not tell the last values.
    """
    versions: dict[object, list[Change]] = {}
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

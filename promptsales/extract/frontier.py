"""The frontier: before which instant every commit of the source can be seen.

``updated_at > max(updated_at)`` loses every row whose transaction commits after the poll. So the watermark is the start
of the oldest transaction that is open on the source, read before the data snapshot is taken. Measured in
docs/decisions/0001-frontier-instead-of-max-updated-at.md.
"""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.errors import SourceRefused

# a transaction's start reaches pg_stat_activity microseconds after it was stamped; five seconds cost nothing an hour
MARGIN = timedelta(seconds=5)


class Frontier(NamedTuple):
    """What ``etl.frontier()`` says of a source.

    ``read_at`` is the source's clock; of a standby, up to when it has replayed its primary, by the primary's clock.
    ``frontier`` is None where it must not advance: prepared transactions are open, or the source is a standby.
    ``held_since`` is None on a standby: since when something is open on its primary cannot be seen there.
    """

    frontier: datetime | None
    read_at: datetime
    is_standby: bool
    held_by: str | None
    held_since: datetime | None
    refused: str | None
    is_hidden: bool = False  # what other sessions do cannot be seen, so that no frontier can be known

    @property
    def is_known(self) -> bool:
        """Whether the source can tell its frontier at all."""
        return not (self.is_standby or self.is_hidden)


def read_frontier(source: psycopg.Connection) -> Frontier:
    """Ask the source for its frontier, in a statement of its own: inside a transaction the answer would be too late.

    Raises:
        SourceRefused: when sessions stay hidden, so that nothing can be known.
    """
    return _ask(source, b"select frontier, read_at, is_standby, held_by, held_since, refused from etl.frontier()")


# a session may show its new transaction id before its start: ask three times before refusing, as the function does
_TRIES = 3


def read_frontier_inline(source: psycopg.Connection) -> Frontier:
    """The same of a source that has no ``etl.frontier()``, because nothing may be created there.

    Where other sessions are hidden from the role, as from one that may only SELECT, nothing is known, and it says so.

    Raises:
        SourceRefused: when the role may see other sessions, and some hide all the same.
    """
    query = Path(__file__).with_suffix(".sql").read_bytes()
    for _ in range(_TRIES - 1):
        try:
            return _ask(source, query)
        except SourceRefused:
            time.sleep(0.1)
    return _ask(source, query)


def _ask(source: psycopg.Connection, query: bytes) -> Frontier:
    with source.cursor(row_factory=class_row(Frontier)) as cursor:
        found = cursor.execute(query).fetchone()
    assert found is not None  # noqa: S101 -- both queries return one row
    if found.refused:
        raise SourceRefused(f"the frontier cannot be known: {found.refused}")
    return found


def watermark_after(found: Frontier, previous: datetime | None, look_back: timedelta) -> datetime | None:
    """The watermark a load that read at this frontier may store: it never goes back.

    Args:
        found: what the source said.
        previous: the stored watermark, None before the first load.
        look_back: how far is read again where the frontier cannot be known.
    """
    if not found.is_known:
        candidate = found.read_at - look_back
    elif found.frontier is None:
        return previous
    else:
        candidate = found.frontier - MARGIN
    return candidate if previous is None else max(previous, candidate)


def complete_through_after(found: Frontier, previous: datetime | None) -> datetime | None:
    """Every commit before the returned instant is loaded; None where that cannot be known."""
    if not found.is_known:
        return None
    return watermark_after(found, previous, timedelta())


def held_by(found: Frontier, look_back: timedelta) -> str | None:
    """What keeps the watermark from the present, or why none is known."""
    if found.is_known:
        return found.held_by
    why = "what other sessions do is hidden from the pipeline's role" if found.is_hidden else "read from a standby"
    return f"{why}, so how far it is complete is not known; each run reads the last {look_back} again"

"""The frontier: before which instant every commit of the source can be seen.

``updated_at > max(updated_at)`` loses every row whose transaction commits after the poll. So the watermark is the start
of the oldest transaction that is open on the source, read before the data snapshot is taken (design.md rule 1).
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.errors import SourceRefused

# a transaction's start reaches pg_stat_activity microseconds after it was stamped; five seconds cost nothing an hour
MARGIN = timedelta(seconds=5)


class Frontier(NamedTuple):
    """What ``etl.frontier()`` says of a source.

    ``frontier`` is None where it must not advance: prepared transactions are open, or the source is a standby.
    ``held_since`` is None on a standby: since when something is open on its primary cannot be seen there.
    """

    frontier: datetime | None
    read_at: datetime
    is_standby: bool
    held_by: str | None
    held_since: datetime | None
    refused: str | None


def read_frontier(source: psycopg.Connection) -> Frontier:
    """Ask the source for its frontier, in a statement of its own: inside a transaction the answer would be too late.

    Raises:
        SourceRefused: when sessions stay hidden, so that nothing can be known.
    """
    with source.cursor(row_factory=class_row(Frontier)) as cursor:
        cursor.execute("select frontier, read_at, is_standby, held_by, held_since, refused from etl.frontier()")
        found = cursor.fetchone()
    assert found is not None  # noqa: S101 -- a function without a set returns one row
    if found.refused:
        raise SourceRefused(f"the frontier cannot be known: {found.refused}")
    return found


def watermark_after(found: Frontier, previous: datetime | None, look_back: timedelta) -> datetime | None:
    """The watermark a load that read at this frontier may store: it never goes back.

    Args:
        found: what the source said.
        previous: the stored watermark, None before the first load.
        look_back: how far a standby is read again; there the frontier cannot be seen.
    """
    if found.is_standby:
        candidate = found.read_at - look_back
    elif found.frontier is None:
        return previous
    else:
        candidate = found.frontier - MARGIN
    return candidate if previous is None else max(previous, candidate)


def complete_through_after(found: Frontier, previous: datetime | None) -> datetime | None:
    """Every commit before the returned instant is loaded; None on a standby, where that cannot be known."""
    if found.is_standby:
        return None
    return watermark_after(found, previous, timedelta())

"""Read the frontier: the instant before which every commit of the source is visible.

``updated_at > max(updated_at)`` loses every row whose transaction commits after the poll. So the watermark is the start
of the oldest transaction that is open on the source, read before the data snapshot is taken. Measured in
docs/decisions/0001-frontier-instead-of-max-updated-at.md.

The source computes it: `schemas/sql/etl/0005_audits.sql` as a function, `frontier.sql` beside this module as a query
for sources where nothing may be created.
"""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.errors import SourceRefused

# a transaction shows its start in pg_stat_activity microseconds later than the start itself
MARGIN = timedelta(seconds=5)


class Frontier(NamedTuple):
    """The result of ``etl.frontier()``.

    ``read_at`` is the source's clock; on a standby, how far it has replayed its primary, by the primary's clock.
    ``frontier`` is None where it must not advance: prepared transactions are open, or the source is a standby.
    ``held_since`` is None on a standby, which does not see since when a transaction is open on its primary.
    """

    frontier: datetime | None
    read_at: datetime
    is_standby: bool
    held_by: str | None
    held_since: datetime | None
    refused: str | None
    is_hidden: bool = False  # other sessions are hidden from the role, so the frontier is unknown

    @property
    def is_known(self) -> bool:
        """Whether the source shows its frontier."""
        return not (self.is_standby or self.is_hidden)


def read_frontier(source: psycopg.Connection) -> Frontier:
    """Read the source's frontier, in a statement outside any transaction, which would hold the frontier itself.

    Raises:
        SourceRefused: when sessions stay hidden, so that the frontier is unknown.
    """
    return _ask(source, b"select frontier, read_at, is_standby, held_by, held_since, refused from etl.frontier()")


# a session may show its new transaction id before its start; etl.frontier() tries three times too
_TRIES = 3


def read_frontier_inline(source: psycopg.Connection) -> Frontier:
    """Read the frontier of a source where ``etl.frontier()`` may not be created.

    If other sessions are hidden from the role, as from one that may only SELECT, the result has ``is_hidden``.

    Raises:
        SourceRefused: when the role may see other sessions and some stay hidden.
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
        answer = cursor.execute(query).fetchone()
    assert answer is not None  # noqa: S101 -- both queries return one row
    if answer.refused:
        raise SourceRefused(f"the frontier cannot be known: {answer.refused}")
    return answer


def compute_watermark(answer: Frontier, previous: datetime | None, look_back: timedelta) -> datetime | None:
    """Return the watermark that a load may store which read at this frontier; it never goes back.

    Args:
        answer: the frontier the source returned.
        previous: the stored watermark, None before the first load.
        look_back: the interval that is read again where the frontier is unknown.
    """
    if not answer.is_known:
        candidate = answer.read_at - look_back
    elif answer.frontier is None:
        return previous
    else:
        candidate = answer.frontier - MARGIN
    return candidate if previous is None else max(previous, candidate)


def compute_complete_through(answer: Frontier, previous: datetime | None) -> datetime | None:
    """Return the instant before which every commit is loaded; None where the frontier is unknown."""
    if not answer.is_known:
        return None
    return compute_watermark(answer, previous, timedelta())


def explain_hold(answer: Frontier, look_back: timedelta) -> str | None:
    """Return what holds the watermark back, or why the frontier is unknown; None if nothing holds it."""
    if answer.is_known:
        return answer.held_by
    why = "other sessions are hidden from the pipeline's role" if answer.is_hidden else "read from a standby"
    return f"{why}, so how far it is complete is not known; each run reads the last {look_back} again"

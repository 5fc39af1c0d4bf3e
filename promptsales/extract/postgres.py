"""Reading PostgreSQL: what the view and the relation that is hashed here have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.rows import tuple_row

from promptsales.extract.frontier import Frontier, complete_through_after, held_by, watermark_after
from promptsales.extract.visible import UNFILTERED
from promptsales.feeds.models import FeedProgress, Window
from promptsales.feeds.reader import CheckedKey
from promptsales.feeds.state import FeedState
from promptsales.specs.feed import Contract


class PostgresReader:
    """One extraction of a PostgreSQL feed: the frontier first, then one snapshot."""

    frontier: Frontier

    def __init__(self, contract: Contract, source: psycopg.Connection) -> None:
        self.contract = contract
        self.source = source

    @property
    def is_own_clock(self) -> bool:
        """Whether rows are stamped by the clock that was read: a standby says how far it has replayed."""
        return not self.frontier.is_standby

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Open a transaction that sees one state, all rows or an error, and writes nothing."""
        self.source.isolation_level, self.source.read_only = IsolationLevel.REPEATABLE_READ, True
        with self.source.transaction():
            self.source.execute(UNFILTERED)
            yield

    def compute_progress(self, feed_state: FeedState, window: Window | None, key: CheckedKey | None) -> FeedProgress:
        """The watermark follows the frontier; a replayed window moves nothing."""
        look_back = timedelta(seconds=self.contract.look_back_seconds)
        watermark, complete_through = feed_state.last_sync_timestamp, feed_state.complete_through
        if window is None:
            watermark = watermark_after(self.frontier, watermark, look_back)
            complete_through = complete_through_after(self.frontier, complete_through)
        return FeedProgress(
            last_sync_timestamp=watermark,
            complete_through=complete_through,
            held_by=held_by(self.frontier, look_back),
            held_since=self.frontier.held_since,
            pii_kid=key[0] if key else None,
            pii_check=key[1].hex() if key else None,
        )


def counted(source: psycopg.Connection, relation: sql.Composable, rows: sql.Composable) -> int:
    """How many rows of a relation meet a condition."""
    query = sql.SQL("select count(*) from {} where {}").format(relation, rows)
    with source.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(query).fetchone()
    return int(found[0]) if found else 0

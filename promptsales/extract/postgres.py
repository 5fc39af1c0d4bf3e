"""The base of both PostgreSQL readers: one reads a hashing view, the other hashes a relation itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.rows import tuple_row

from promptsales.extract.frontier import Frontier, compute_complete_through, compute_watermark, explain_hold
from promptsales.extract.visible import UNFILTERED
from promptsales.feeds.models import FeedProgress, Window
from promptsales.feeds.state import FeedState
from promptsales.hashing.keys import CheckedKey
from promptsales.specs.feed import Contract


class PostgresReader:
    """An extraction of a PostgreSQL feed: first the frontier, then one snapshot."""

    frontier: Frontier

    def __init__(self, contract: Contract, source: psycopg.Connection) -> None:
        self.contract = contract
        self.source = source

    @property
    def is_own_clock(self) -> bool:
        """Whether rows are stamped by the clock that was read; a standby returns its replay position instead."""
        return not self.frontier.is_standby

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Open a read-only transaction that sees one state, and fails where a policy hides rows."""
        self.source.isolation_level, self.source.read_only = IsolationLevel.REPEATABLE_READ, True
        with self.source.transaction():
            self.source.execute(UNFILTERED)
            yield

    def compute_progress(self, feed_state: FeedState, window: Window | None, key: CheckedKey | None) -> FeedProgress:
        """Return the new state of the feed: the watermark follows the frontier, except for a replayed window."""
        look_back = timedelta(seconds=self.contract.look_back_seconds)
        watermark, complete_through = feed_state.last_sync_timestamp, feed_state.complete_through
        if window is None:
            watermark = compute_watermark(self.frontier, watermark, look_back)
            complete_through = compute_complete_through(self.frontier, complete_through)
        return FeedProgress(
            last_sync_timestamp=watermark,
            complete_through=complete_through,
            held_by=explain_hold(self.frontier, look_back),
            held_since=self.frontier.held_since,
            pii_kid=key.kid if key else None,
            pii_check=key.check.hex() if key else None,
        )


def count_rows(source: psycopg.Connection, relation: sql.Composable, rows: sql.Composable) -> int:
    """Count the rows of a relation that meet a condition."""
    query = sql.SQL("select count(*) from {} where {}").format(relation, rows)
    with source.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query).fetchone()
    return int(row[0]) if row else 0

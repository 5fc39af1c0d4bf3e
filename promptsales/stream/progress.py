"""How far the streamed tables are complete, even while nothing happens at their source.

Every commit before a moment is in the warehouse once two conditions hold: the source's log up to that moment is read
(the slot's confirmed position; Debezium's heartbeat moves it while the source is idle), and all that the brokers held
then is applied.
"""

import time
from datetime import datetime
from typing import NamedTuple

import psycopg
from confluent_kafka.admin import AdminClient

from promptsales.errors import TerminalError
from promptsales.printable import logger
from promptsales.specs.stream import Connector, contracts_of
from promptsales.stream import gaps as stream_gaps
from promptsales.stream import lag
from promptsales.stream import truncations as stream_truncations
from promptsales.stream.gaps import Gap
from promptsales.stream.lag import Partition
from promptsales.stream.published_operations import refuse_unpublished_operations
from promptsales.stream.truncations import Truncation

log = logger(__name__)

# seconds between two checks for gaps
_GAPS_S = 5.0

# no row without a slot: what was written before it existed is in the snapshot only
_NOW = """
    select clock_timestamp(), pg_current_wal_insert_lsn()::text from pg_replication_slots where slot_name = %s
"""
_EPOCH = "select epoch from ops.connector where connector = %s"
_IS_READ = "select confirmed_flush_lsn > %s::pg_lsn from pg_replication_slots where slot_name = %s"
_UNPUBLISHED = """
    select name from unnest(%s::text[]) as name
    except select concat_ws('.', schemaname, tablename) from pg_publication_tables where pubname = %s order by 1
"""
_NOTE = """
    insert into ops.feed as f (feed, topic, last_sync_timestamp, complete_through)
    select feed, topic, %(at)s, %(at)s from unnest(%(feeds)s::text[], %(topics)s::text[]) as x(feed, topic)
    order by feed
    on conflict (feed) do update
    set topic = excluded.topic, last_sync_timestamp = greatest(f.last_sync_timestamp, excluded.last_sync_timestamp),
        complete_through = greatest(f.complete_through, excluded.complete_through), updated_at = clock_timestamp()
"""


# 5 s is more than two threads that read the clock at the same time can differ by
_LOWER = """
    update ops.feed set last_sync_timestamp = least(last_sync_timestamp, %(now)s), complete_through = %(now)s,
        updated_at = clock_timestamp()
    where feed = any(%(feeds)s) and complete_through > %(now)s + interval '5 seconds'
"""


class _Mark(NamedTuple):
    at: datetime
    position: str
    truncations: list[Truncation]


class Reached(NamedTuple):
    """A moment before which every commit is applied; rows older than ``truncations`` are applied too."""

    at: datetime
    truncations: list[Truncation]


class StreamProgress:
    """Follows one moment of a source after the other until everything before it is applied."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self._mark: _Mark | None = None
        self.epoch: int | None = None  # epoch of the current moment
        self._ends: dict[Partition, int] | None = None
        self._gaps_at = 0.0
        self._logged: list[Gap] = []

    def look(self, source: psycopg.Connection, client: AdminClient, warehouse: psycopg.Connection) -> Reached | None:
        """Check once; return the moment before which every commit is applied if it was reached just now.

        Raises:
            TerminalError: when a table or an operation is not published, so that its changes come in no event.
            TransientError: when no broker answers.
        """
        self._mark = self._mark or _read_mark(source, warehouse, self.connector)
        names = lag.topics(self.connector)
        if time.monotonic() >= self._gaps_at:
            self._note_gaps(client, warehouse)
        is_read = self._mark is not None and _is_read(source, self.connector, self._mark)
        if self._has_new_epoch(warehouse):
            # the slot may be a new one, whose position says nothing about an earlier moment
            self._mark = self._ends = None
        if self._mark is None:
            return None
        if self._ends is None and is_read:
            if stream_gaps.has_new_topic(client, warehouse, self.connector):
                self._note_gaps(client, warehouse)
            self._ends = lag.read_ends(client, names)
        if self._ends is None or lag.count_waiting(self._ends, lag.read_applied(warehouse, names)):
            return None
        _refuse_unpublished(source, self.connector)
        # take the next moment at once, so that the log is read up to it in the meantime
        reached = Reached(self._mark.at, self._mark.truncations)
        self._mark, self._ends = _read_mark(source, warehouse, self.connector), None
        if self._mark is None:
            return reached
        lower_complete_through(warehouse, self.connector, self._mark.at)
        return reached._replace(at=min(reached.at, self._mark.at))

    def _note_gaps(self, client: AdminClient, warehouse: psycopg.Connection) -> None:
        """Record gaps; otherwise a partition with nothing behind its gap would be waited for without end."""
        for gap in stream_gaps.record(client, warehouse, self.connector, is_following=True):
            log.error("%s; %s", gap, stream_gaps.describe_fix(self.connector))
        self._gaps_at = time.monotonic() + _GAPS_S

    def log_gaps(self, gaps: list[Gap]) -> None:
        """Log once that gaps stop completeness, and once that they are closed."""
        for gap in gaps if gaps != self._logged else ():
            log.error("%s is not complete: %s; %s", self.connector, gap, stream_gaps.describe_fix(self.connector))
        if self._logged and not gaps:
            log.warning("%s: the snapshot closed all gaps", self.connector)
        self._logged = gaps

    def _has_new_epoch(self, warehouse: psycopg.Connection) -> bool:
        row = warehouse.execute(_EPOCH, [self.connector]).fetchone()
        before, self.epoch = self.epoch, row[0] if row else None
        return before != self.epoch


def _refuse_unpublished(source: psycopg.Connection, connector: Connector) -> None:
    """Check that every change of the connector's tables is published before calling them complete.

    A table may have left the publication or have been replaced under its name, or the publication may lack operations.
    """
    names = [contract.source.relation for contract in contracts_of(connector)]
    if missing := [name for (name,) in source.execute(_UNPUBLISHED, [names, connector])]:
        raise TerminalError(
            f"{', '.join(missing)} is not in publication {connector}, so its changes are lost; run "
            f"`promptsales provision`, then `promptsales connectors snapshot {connector}`"
        )
    refuse_unpublished_operations(source, connector)


def _read_mark(source: psycopg.Connection, warehouse: psycopg.Connection, connector: Connector) -> _Mark | None:
    # read first: truncations noted by now were committed before the moment
    truncations = stream_truncations.read_pending(warehouse, connector)
    now = source.execute(_NOW, [connector]).fetchone()
    return _Mark(now[0], now[1], truncations) if now else None


def _is_read(source: psycopg.Connection, connector: Connector, mark: _Mark) -> bool:
    return source.execute(_IS_READ, [mark.position, connector]).fetchone() == (True,)


def lower_complete_through(warehouse: psycopg.Connection, connector: Connector, now: datetime) -> None:
    """Lower `complete_through` where it lies in the future of the source's clock, which was set back.

    Args:
        warehouse: an open connection in autocommit.
        connector: the connector whose tables are checked.
        now: the source's clock.
    """
    names = [contract.table for contract in contracts_of(connector)]
    if warehouse.execute(_LOWER, {"now": now, "feeds": names}).rowcount:
        log.warning(
            "%s: the source's clock was set back to %s; its tables are now complete through that time only",
            connector,
            now,
        )


def record_complete_through(warehouse: psycopg.Connection, connector: Connector, at: datetime) -> None:
    """Record how far a connector's tables are complete; the time never goes back."""
    tables = contracts_of(connector)
    values = {
        "at": at,
        "feeds": [contract.table for contract in tables],
        "topics": [contract.topic for contract in tables],
    }
    warehouse.execute(_NOTE, values)

"""How far the stream is behind, in three hops: the replication slot, the bus, the last applied commit."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from psycopg.rows import class_row
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from promptsales.bus import topics as bus
from promptsales.specs.stream import Connector, contracts_of

Partition = tuple[str, int]

_TIMEOUT_S = 10
_NO_LEADER = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)


class Slot(NamedTuple):
    """A replication slot.

    ``behind_bytes`` is the log that is not confirmed. ``kept_bytes`` is the log that the source keeps for the slot; an
    open transaction makes it larger. It counts against ``cap_bytes``, the most that the source keeps (None for no
    limit).
    """

    slot: str
    is_active: bool
    wal_status: str
    behind_bytes: int
    kept_bytes: int
    cap_bytes: int | None

    @property
    def is_losing(self) -> bool:
        """Return True if the source has removed log that the slot needs, or will at its next checkpoint."""
        return self.is_lost or self.wal_status == "unreserved"

    @property
    def is_lost(self) -> bool:
        """Return True if the source has removed log that the slot needs."""
        return self.wal_status == "lost"


class Lag(NamedTuple):
    """How far the tables of one connector are behind."""

    connector: Connector
    slot_bytes: int | None
    events: int
    applied_at: datetime | None
    source_at: datetime | None
    age: timedelta | None


_SLOT = """
    select slot_name as slot, active as is_active, coalesce(wal_status, 'unknown') as wal_status,
           greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn))::bigint as behind_bytes,
           greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))::bigint as kept_bytes,
           nullif(pg_size_bytes(current_setting('max_slot_wal_keep_size')), -1) as cap_bytes
    from pg_replication_slots where slot_name = %s
"""
_APPLIED = "select topic, partition, next_offset from ops.stream_offset where topic = any(%s)"
_RECORD = """
    insert into ops.stream_lag (connector, slot_status, slot_bytes, bus_events, applied_at, source_at, applied_events)
    select %(connector)s, %(slot_status)s, %(slot_bytes)s, %(events)s, %(applied_at)s, %(source_at)s, sum(next_offset)
    from ops.stream_offset where topic = any(%(topics)s)
"""
_LAST = """
    select max(applied_at), max(source_at), clock_timestamp() - max(source_at)
    from ops.stream_offset where topic = any(%s)
"""


def read_slot(source: psycopg.Connection, connector: Connector) -> Slot | None:
    """Return a connector's slot; None when it has none."""
    with source.cursor(row_factory=class_row(Slot)) as cursor:
        return cursor.execute(_SLOT, [connector]).fetchone()


def topics(connector: Connector) -> list[str]:
    """Return the topics of a connector's tables."""
    return [contract.topic for contract in contracts_of(connector)]


def read_ends(client: AdminClient, names: Iterable[str]) -> dict[Partition, int]:
    """Return the end of every partition of some topics: the offset of the next event.

    Raises:
        TransientError: when no broker answers, or a topic does not exist.
    """
    return _read_bounds(client, names, OffsetSpec.latest())  # type: ignore[no-untyped-call]


def read_begins(client: AdminClient, names: Iterable[str]) -> dict[Partition, int]:
    """Return the first offset that each partition of some topics still has.

    Raises:
        TransientError: when no broker answers.
    """
    return _read_bounds(client, names, OffsetSpec.earliest())  # type: ignore[no-untyped-call]


def _read_bounds(client: AdminClient, names: Iterable[str], spec: OffsetSpec) -> dict[Partition, int]:
    with bus.errors("read offsets", client):
        existing = client.list_topics(timeout=_TIMEOUT_S).topics
        partitions = {
            TopicPartition(name, partition): spec
            for name in names
            for partition in (existing[name].partitions if name in existing else ())
        }
        return _list_offsets(client, partitions) if partitions else {}


def _is_settling(error: BaseException) -> bool:
    """Return True if a partition has no known leader yet, as in a topic created a moment ago."""
    return isinstance(error, KafkaException) and error.args[0].code() in _NO_LEADER


@retry(retry=retry_if_exception(_is_settling), stop=stop_after_delay(_TIMEOUT_S), wait=wait_fixed(0.2), reraise=True)
def _list_offsets(client: AdminClient, partitions: dict[TopicPartition, OffsetSpec]) -> dict[Partition, int]:
    answers = client.list_offsets(partitions, request_timeout=_TIMEOUT_S)
    return {(at.topic, at.partition): future.result().offset for at, future in answers.items()}


def read_applied(warehouse: psycopg.Connection, names: Iterable[str]) -> dict[Partition, int]:
    """Return the next offset to apply of every partition."""
    return {(topic, partition): offset for topic, partition, offset in warehouse.execute(_APPLIED, [list(names)])}


def count_absent(warehouse: psycopg.Connection) -> dict[str, float]:
    """Return, by topic, the events without a field for a contract's column since the last clean audit."""
    query = "select topic, sum(absent_events) from ops.stream_offset group by topic order by topic"
    return {topic: float(count) for topic, count in warehouse.execute(query)}


def count_unnamed(warehouse: psycopg.Connection) -> dict[str, float]:
    """Return, by topic, the events that had a field no contract names."""
    query = "select topic, sum(unnamed_events) from ops.stream_offset group by topic order by topic"
    return {topic: float(events) for topic, events in warehouse.execute(query)}


def count_waiting(ends: dict[Partition, int], done: dict[Partition, int]) -> int:
    """Return how many events on the bus are not applied yet."""
    return sum(max(0, end - done.get(partition, 0)) for partition, end in ends.items())


def measure_lag(warehouse: psycopg.Connection, client: AdminClient, connector: Connector, slot: Slot | None) -> Lag:
    """Return all three hops of one connector."""
    names = topics(connector)
    events = count_waiting(read_ends(client, names), read_applied(warehouse, names))
    last = warehouse.execute(_LAST, [names]).fetchone() or (None, None, None)
    return Lag(connector, slot.behind_bytes if slot else None, events, *last)


def record(warehouse: psycopg.Connection, lag: Lag, slot: Slot | None) -> None:
    """Append a connector's lag to ``ops.stream_lag``."""
    values = {**lag._asdict(), "slot_status": slot.wal_status if slot else None, "topics": topics(lag.connector)}
    warehouse.execute(_RECORD, values)

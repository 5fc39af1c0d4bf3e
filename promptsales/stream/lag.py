"""How far the stream is behind, in three hops: the slot, the bus, the last applied commit."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from promptsales.bus import topics as bus
from promptsales.specs.stream import Connector, contracts_of

Partition = tuple[str, int]

_TIMEOUT_S = 10
_NO_LEADER = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)


class Slot(NamedTuple):
    """A replication slot.

    ``behind_bytes`` is the log that was not confirmed; ``kept_bytes`` what the source keeps for it, which is more where
    a transaction stays open, and what counts against ``cap_bytes``, the most it will keep.
    """

    slot: str
    is_active: bool
    wal_status: str
    behind_bytes: int
    kept_bytes: int
    cap_bytes: int | None

    @property
    def is_losing(self) -> bool:
        """Whether the source has let go of log the slot needs, or does at its next checkpoint."""
        return self.wal_status in ("unreserved", "lost")


class Lag(NamedTuple):
    """How far one connector's tables are behind."""

    connector: str
    slot_bytes: int | None
    events: int
    applied_at: datetime | None
    source_at: datetime | None
    age: timedelta | None


_SLOT = """
    select slot_name, active, coalesce(wal_status, 'unknown'),
           greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn))::bigint,
           greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))::bigint,
           nullif(pg_size_bytes(current_setting('max_slot_wal_keep_size')), -1)
    from pg_replication_slots where slot_name = %s
"""
_APPLIED = "select topic, partition, next_offset from ops.stream_offset where topic = any(%s)"
_RECORD = """
    insert into ops.stream_lag (connector, slot_status, slot_bytes, bus_events, applied_at, source_at)
    values (%(connector)s, %(slot_status)s, %(slot_bytes)s, %(events)s, %(applied_at)s, %(source_at)s)
"""
_LAST = """
    select max(applied_at), max(source_at), clock_timestamp() - max(source_at)
    from ops.stream_offset where topic = any(%s)
"""


def slot(source: psycopg.Connection, connector: Connector) -> Slot | None:
    """A connector's slot; None where there is none."""
    row = source.execute(_SLOT, [connector]).fetchone()
    return Slot(*row) if row else None


def topics(connector: Connector) -> list[str]:
    """The topics of a connector's tables."""
    return [contract.topic for contract in contracts_of(connector)]


def ends(client: AdminClient, names: Iterable[str]) -> dict[Partition, int]:
    """The end of every partition of some topics: the offset the next event will have.

    Raises:
        TransientError: when no broker answers, or a topic is not there.
    """
    return _bounds(client, names, OffsetSpec.latest())  # type: ignore[no-untyped-call]


def begins(client: AdminClient, names: Iterable[str]) -> dict[Partition, int]:
    """Return the first offset that each partition of some topics still has.

    Raises:
        TransientError: when no broker answers.
    """
    return _bounds(client, names, OffsetSpec.earliest())  # type: ignore[no-untyped-call]


def _bounds(client: AdminClient, names: Iterable[str], spec: OffsetSpec) -> dict[Partition, int]:
    with bus.errors("read offsets", client):
        there = client.list_topics(timeout=_TIMEOUT_S).topics
        wanted = {
            TopicPartition(name, partition): spec
            for name in names
            for partition in (there[name].partitions if name in there else ())
        }
        return _offsets(client, wanted) if wanted else {}


def _is_settling(error: BaseException) -> bool:
    """Whether a partition's leader is not known yet, as of a topic that was made a moment ago."""
    return isinstance(error, KafkaException) and error.args[0].code() in _NO_LEADER


@retry(retry=retry_if_exception(_is_settling), stop=stop_after_delay(_TIMEOUT_S), wait=wait_fixed(0.2), reraise=True)
def _offsets(client: AdminClient, wanted: dict[TopicPartition, OffsetSpec]) -> dict[Partition, int]:
    answers = client.list_offsets(wanted, request_timeout=_TIMEOUT_S)
    return {(at.topic, at.partition): future.result().offset for at, future in answers.items()}


def applied(warehouse: psycopg.Connection, names: Iterable[str]) -> dict[Partition, int]:
    """How far every partition is applied."""
    return {(topic, partition): offset for topic, partition, offset in warehouse.execute(_APPLIED, [list(names)])}


def absent(warehouse: psycopg.Connection) -> dict[str, float]:
    """Events without a field for a column of the contract, since the last audit that found all well, by topic."""
    query = "select topic, sum(absent_events) from ops.stream_offset group by topic order by topic"
    return {topic: float(count) for topic, count in warehouse.execute(query)}


def unnamed(warehouse: psycopg.Connection) -> dict[str, float]:
    """By topic, how many events came with a field that no contract names."""
    query = "select topic, sum(unnamed_events) from ops.stream_offset group by topic order by topic"
    return {topic: float(events) for topic, events in warehouse.execute(query)}


def waiting(found: dict[Partition, int], done: dict[Partition, int]) -> int:
    """Events on the bus that are not applied yet."""
    return sum(max(0, end - done.get(partition, 0)) for partition, end in found.items())


def lag(warehouse: psycopg.Connection, client: AdminClient, connector: Connector, found: Slot | None) -> Lag:
    """All three hops of one connector."""
    names = topics(connector)
    events = waiting(ends(client, names), applied(warehouse, names))
    last = warehouse.execute(_LAST, [names]).fetchone() or (None, None, None)
    return Lag(connector, found.behind_bytes if found else None, events, *last)


def record(warehouse: psycopg.Connection, found: Lag, at: Slot | None) -> None:
    """Append how far a connector is behind to ``ops.stream_lag``."""
    values = {**found._asdict(), "slot_status": at.wal_status if at else None}
    warehouse.execute(_RECORD, values)

"""Events that left Kafka, or were skipped by the consumer group, before the warehouse applied them.

Retention, `delete_records`, a topic that was deleted and created again, and a consumer group whose offsets were reset
forward cause such a gap. Kafka cannot deliver those events any more. The gap is recorded, `complete_through` stops, and
the snapshot of a later epoch closes the gap.
"""

from collections.abc import Iterable
from typing import NamedTuple

import psycopg
from confluent_kafka import ConsumerGroupTopicPartitions, TopicCollection
from confluent_kafka.admin import AdminClient
from psycopg.rows import class_row

from promptsales.bus import topics
from promptsales.specs.stream import Connector
from promptsales.stream import lag
from promptsales.stream.lag import Partition

# the workers' consumer group, and the id of the Faust app
GROUP = "promptsales-stream"
_TIMEOUT_S = 10

_APPLIED = "select topic, partition, next_offset, topic_id from ops.stream_offset where topic = any(%s)"
_KNOWN = "select distinct topic, topic_id from ops.stream_offset where topic = any(%s) and topic_id is not null"
_NOTED = """
    select topic, partition, gap_from as first, gap_to as following, next_offset as start, true as has_more
    from ops.stream_offset
    where topic = any(%s) and gap_at is not null order by topic, partition
"""
# a worker may have applied events since the gap was detected; then its next_offset stays
_RECORD = """
    insert into ops.stream_offset as o (topic, partition, next_offset, gap_from, gap_to, gap_epoch, gap_at)
    values (%(topic)s, %(partition)s, %(start)s, %(first)s, %(following)s,
            coalesce((select epoch from ops.connector where connector = %(connector)s), 1), clock_timestamp())
    on conflict (topic, partition) do update
    set next_offset = case when o.next_offset = %(first)s then excluded.next_offset else o.next_offset end,
        gap_from = coalesce(o.gap_from, excluded.gap_from), gap_to = excluded.gap_to,
        gap_epoch = greatest(o.gap_epoch, excluded.gap_epoch), gap_at = excluded.gap_at
    where o.next_offset = %(first)s or %(following)s::bigint is null
"""
_NAME = """
    update ops.stream_offset set topic_id = %(topic_id)s
    where topic = %(topic)s and topic_id is distinct from %(topic_id)s
"""
_CLOSE = """
    update ops.stream_offset set gap_from = null, gap_to = null, gap_epoch = null, gap_at = null
    where topic = any(%s) and gap_epoch < %s
"""


class Gap(NamedTuple):
    """Missing events of a partition, from ``first`` up to but without ``following``.

    ``following`` is None when the topic was created again. ``start`` is where the workers continue, and ``has_more``
    says whether events wait there.
    """

    topic: str
    partition: int
    first: int
    following: int | None
    start: int
    has_more: bool

    def __str__(self) -> str:
        where = f"partition {self.partition} of topic {self.topic}"
        if self.following is None:
            return f"{where} was deleted and created again after {self.first} events were applied"
        return (
            f"{where} lost offsets {self.first} to {self.following - 1} ({self.following - self.first} events): Kafka "
            "removed them, or the consumer group skipped them, before they were applied"
        )


def describe_fix(connector: Connector) -> str:
    """Return what to do about a gap."""
    return f"run `promptsales connectors snapshot {connector}`: it reads all rows again under a new epoch"


def read_recorded(warehouse: psycopg.Connection, connector: Connector) -> list[Gap]:
    """Return the gaps of a connector's topics that are recorded and not closed."""
    with warehouse.cursor(row_factory=class_row(Gap)) as cursor:
        return cursor.execute(_NOTED, [lag.topics(connector)]).fetchall()


def find_unrecorded(client: AdminClient, warehouse: psycopg.Connection, connector: Connector) -> list[Gap]:
    """Return the gaps between the applied offsets and what a worker can read next that are not recorded yet.

    Raises:
        TransientError: when no broker answers.
    """
    names = lag.topics(connector)
    ids, starts_at = _read_topic_ids(client, names), read_starts(client, names)
    # committed offset <= applied offset <= end, so reading in this order never shows a gap that is not there
    applied = {(topic, partition): at for topic, partition, *at in warehouse.execute(_APPLIED, [names])}
    ends = lag.read_ends(client, names)
    gaps = []
    for (topic, partition), end in sorted(ends.items()):
        next_offset, topic_id = applied.get((topic, partition), (0, None))
        start = starts_at.get((topic, partition), 0)
        if topic_id not in (None, ids.get(topic)) or next_offset > end:
            # next_offset <= end: the applied offset may belong to the new topic
            at = start if next_offset > end else next_offset
            gaps.append(Gap(topic, partition, next_offset, None, at, end > at))
        elif start > next_offset:
            gaps.append(Gap(topic, partition, next_offset, start, start, end > start))
    return gaps


def find_open(client: AdminClient, warehouse: psycopg.Connection, connector: Connector) -> list[Gap]:
    """Return all open gaps of a connector's topics, recorded or not.

    Raises:
        TransientError: when no broker answers.
    """
    return read_recorded(warehouse, connector) + find_unrecorded(client, warehouse, connector)


def read_starts(client: AdminClient, names: Iterable[str]) -> dict[Partition, int]:
    """Return the offset at which the workers continue, or begin, for each partition of some topics.

    Raises:
        TransientError: when no broker answers.
    """
    committed, begins, ends = _read_committed(client), lag.read_begins(client, names), lag.read_ends(client, names)
    return {
        at: committed[at] if begin <= committed.get(at, -1) <= ends.get(at, 0) else begin
        for at, begin in begins.items()
    }


def has_new_topic(client: AdminClient, warehouse: psycopg.Connection, connector: Connector) -> bool:
    """Return True if a topic was deleted and created again since its id was recorded.

    Raises:
        TransientError: when no broker answers.
    """
    ids = _read_topic_ids(client, lag.topics(connector))
    known = warehouse.execute(_KNOWN, [list(ids)]).fetchall()
    return any(ids[topic] != topic_id for topic, topic_id in known)


def record(client: AdminClient, warehouse: psycopg.Connection, connector: Connector, is_following: bool) -> list[Gap]:
    """Record the gaps of a connector's topics under its current epoch, and return them.

    Args:
        client: admin client of the brokers.
        warehouse: an open connection in autocommit.
        connector: the connector whose topics are checked.
        is_following: whether workers run. A worker records a gap itself when the next event comes, and knows that
            event's epoch. Then only gaps with nothing behind them are recorded here.

    Raises:
        TransientError: when no broker answers.
    """
    names = lag.topics(connector)
    ids = _read_topic_ids(client, names)
    gaps = [
        gap
        for gap in find_unrecorded(client, warehouse, connector)
        if gap.following is None or not (is_following and gap.has_more)
    ]
    with warehouse.transaction():
        for gap in gaps:
            warehouse.execute(_RECORD, {**gap._asdict(), "connector": connector})
        for topic, topic_id in sorted(ids.items()):
            warehouse.execute(_NAME, {"topic": topic, "topic_id": topic_id})
    return gaps


def close(warehouse: psycopg.Connection, connector: Connector, epoch: int | None) -> list[Gap]:
    """Close the gaps older than an epoch whose snapshot is applied; return those that stay open."""
    warehouse.execute(_CLOSE, [lag.topics(connector), epoch])
    return read_recorded(warehouse, connector)


def _read_topic_ids(client: AdminClient, names: Iterable[str]) -> dict[str, str]:
    """Return Kafka's own id of each existing topic."""
    with topics.errors("read topics", client):
        answers = client.describe_topics(TopicCollection(list(names)), request_timeout=_TIMEOUT_S)
        existing = client.list_topics(timeout=_TIMEOUT_S).topics
        return {name: str(answer.result().topic_id) for name, answer in answers.items() if name in existing}


def _read_committed(client: AdminClient) -> dict[Partition, int]:
    """Return the committed offset of the workers' group by partition; partitions without a commit are left out."""
    with topics.errors("read the workers' offsets", client):
        (answer,) = client.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(GROUP)], request_timeout=_TIMEOUT_S
        ).values()
        offsets = answer.result().topic_partitions or ()
    return {(at.topic, at.partition): at.offset for at in offsets}

"""The Faust app: thin. Faust gives group membership and delivery; decoding and applying know nothing of it."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import faust
import psycopg
from aiokafka.structs import ConsumerRecord

from promptsales.connections import open_async
from promptsales.printable import logger
from promptsales.settings import HOST, Settings
from promptsales.specs.stream import Connector, stream_contracts
from promptsales.specs.value_limits import DEAD_LETTER_BYTES
from promptsales.stream import budget_alerts, completeness, judge_again
from promptsales.stream.batch import Batch, Offset
from promptsales.stream.decode import EPOCH, Change, DeadLetter, Decoded, Decoder, Message
from promptsales.stream.gaps import GROUP, Gap, way_out
from promptsales.stream.live_counters import Counters
from promptsales.stream.truncations import Truncation
from streams.batches import batches
from streams.bury import bury
from streams.delivery import Delivery
from streams.health import Health
from streams.transport import Runs, Transport

log = logger(__name__)

# how many records a batch holds at most, and how long it waits for more
MOST, WINDOW_S = 2000, 0.001
# of an integer in the warehouse
_HIGHEST_EPOCH = 2**31 - 1
# the exit code of an error nobody foresaw; the supervisor answers it with a restart
UNKNOWN = 70


def create_app(settings: Settings, number: int) -> faust.App:
    """The app of one worker; the first also tells how far the tables are complete."""
    is_first = number == 0
    app = _app(settings, settings.port("stream") + number)
    app.transport = Transport(app.conf.broker_consumer, app)
    decoders = {contract.topic: Decoder(contract) for contract in stream_contracts().values()}
    _tell_what_is_left(decoders.values())
    counters = Counters(settings)
    delivery = Delivery(partial(_connect, settings), partial(bury, app), settings.stream_minutes_days)
    health = Health(app, settings, delivery)
    changes = app.topic(*decoders, schema=Runs())

    told: set[str] = set()

    @app.agent(changes, name="changes", concurrency=1)
    async def follow(stream: Any) -> None:
        try:
            async for records in batches(stream, MOST, WINDOW_S):
                batch = decode(decoders, records)
                _tell_drift(batch, told)
                applied = await delivery.deliver(batch)
                counters.note(applied.figures)
                health.note(len(records), applied.quarantined)
                _tell_gaps(applied.gaps)
        except BaseException:
            # not even a cancellation may leave: Faust would count the batch as done
            log.critical("the stream cannot go on; the supervisor starts it again from the last commit", exc_info=True)
            os._exit(UNKNOWN)

    health.attach()

    @app.task  # type: ignore[untyped-decorator]
    async def beside() -> None:
        counters.start()
        budget_alerts.start(settings)
        if is_first:
            completeness.start(settings)
            judge_again.start(settings)
        health.watch()

    return app


def _app(settings: Settings, web_port: int) -> faust.App:
    """Faust, as we want it."""
    return faust.App(
        GROUP,
        broker=f"kafka://{settings.address('kafka')}",
        store="memory://",
        datadir=settings.state / "data" / f"stream-{web_port}",
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,  # topics are code
        topic_disable_leader=True,
        stream_wait_empty=True,
        stream_buffer_maxsize=8,  # runs, not records; each may be a large one
        # an idle partition is no stuck one: our own watchdog knows the difference
        stream_processing_timeout=10**9,
        broker_commit_interval=1.0,
        broker_session_timeout=12,
        broker_heartbeat_interval=3,
        broker_rebalance_timeout=30,
        broker_request_timeout=40,
        producer_acks=-1,
        producer_max_request_size=DEAD_LETTER_BYTES,
        web_bind=HOST,
        web_port=web_port,
        web_tables_enabled=False,
    )


def decode(decoders: dict[str, Decoder], records: Sequence[ConsumerRecord]) -> Batch:
    """Records as one batch."""
    messages = [_message(record) for record in records]
    found = [decoders[message.topic].decode(message) for message in messages]
    return Batch(
        tuple(item for item in found if isinstance(item, Change)),
        tuple(item for item in found if isinstance(item, DeadLetter)),
        tuple(_offsets(messages, found).values()),
        tuple(item for item in found if isinstance(item, Truncation)),
    )


def _offsets(messages: Sequence[Message], found: Sequence[Decoded]) -> dict[tuple[str, int], Offset]:
    offsets: dict[tuple[str, int], Offset] = {}
    for message, item in zip(messages, found, strict=True):
        first, at, lsn, unnamed = message.offset, None, None, 0
        if isinstance(item, Change):
            at, lsn, unnamed = item.committed_at, item.row.src_lsn, int(item.unnamed is not None)
        elif isinstance(item, Truncation):
            at, lsn = item.committed_at, item.lsn
        known = offsets.get((message.topic, message.partition))
        if known:
            first, at, lsn = known.first_offset, at or known.source_at, lsn or known.source_lsn
            unnamed += known.unnamed
        offsets[message.topic, message.partition] = Offset(
            message.topic, message.partition, first, message.offset + 1, at, lsn, unnamed, *_gap(known, message)
        )
    return offsets


def _gap(before: Offset | None, message: Message) -> tuple[int | None, int | None, int | None]:
    """Return the gap of a partition in a batch, with the message added: from, to, and the epoch behind it."""
    if before is None:
        return None, None, message.epoch
    if message.offset <= before.next_offset:
        return before.gap_from, before.gap_to, before.gap_epoch
    first = before.next_offset if before.gap_from is None else before.gap_from
    return first, message.offset, message.epoch


def _message(record: ConsumerRecord) -> Message:
    epoch = _epoch(dict(record.headers or ()).get(EPOCH))
    return Message(record.topic, record.partition, record.offset, record.key, record.value, epoch)


def _epoch(header: bytes | None) -> int | None:
    """The epoch that a header says; None where it says none, or one that the warehouse cannot hold."""
    if not header or not header.isdigit() or len(header) > len(str(_HIGHEST_EPOCH)):
        return None
    return epoch if (epoch := int(header)) <= _HIGHEST_EPOCH else None


def _tell_what_is_left(decoders: Any) -> None:
    for decoder in decoders:
        for rule in decoder.rules.left_to_the_audit:
            log.warning("rule %s of %s cannot judge a single row: the hourly audit does", rule, decoder.contract.table)


def _tell_drift(batch: Batch, told: set[str]) -> None:
    """Say once which field no contract names, and for which column there is none."""
    drifted = [change for change in batch.changes if change.unnamed or change.absent]
    texts = {f"{one.table}: {one.unnamed}; no contract names it, so it is dropped" for one in drifted if one.unnamed}
    for text in (texts | {_absence(one) for one in drifted if one.absent}) - told:
        log.warning(text)
        told.add(text)


def _absence(change: Change) -> str:
    return (
        f"{change.table}: events have no field for {', '.join(change.absent)}; rows keep the values they had, and new "
        "rows wait in quarantine: `promptsales doctor` says what to do"
    )


def _tell_gaps(gaps: Sequence[Gap]) -> None:
    for gap in gaps:
        connector = cast(Connector, gap.topic.split(".")[0])
        log.error("%s; its tables are not complete: %s", gap, way_out(connector))


async def _connect(settings: Settings) -> psycopg.AsyncConnection[Any]:
    return await open_async(settings, "warehouse", "look", application_name=GROUP)

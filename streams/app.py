"""The Faust app: group membership and delivery come from Faust; decoding and applying do not depend on it."""

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import faust
import psycopg
from aiokafka.structs import ConsumerRecord

from promptsales.connections import open_async
from promptsales.errors import PipelineError
from promptsales.kafka_address import brokers_of
from promptsales.printable import logger
from promptsales.settings import HOST, Settings
from promptsales.specs.stream import Connector, stream_contracts
from promptsales.specs.value_limits import DEAD_LETTER_BYTES
from promptsales.stream import budget_alerts, completeness, judge_again
from promptsales.stream.batch import Batch, Offset
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import Decoder, RowChange
from promptsales.stream.gaps import GROUP, Gap, describe_fix
from promptsales.stream.issued import Issued, Pair
from promptsales.stream.live_counters import Counters
from promptsales.stream.messages import EPOCH, Message
from promptsales.stream.truncations import Truncation
from streams.batches import batches
from streams.bury import bury
from streams.credentials import create_credentials
from streams.delivery import Delivery
from streams.health import Health
from streams.transport import Runs, Transport

log = logger(__name__)

# records in a batch at most, and seconds to wait for more
MOST, WINDOW_S = 2000, 0.001
# the largest integer of PostgreSQL
_HIGHEST_EPOCH = 2**31 - 1
# exit code of an unexpected error; the supervisor restarts the worker
UNKNOWN = 70


def create_app(settings: Settings, number: int) -> faust.App:
    """Return the app of one worker; worker 0 also records how far tables are complete and judges quarantine again."""
    is_first = number == 0
    app = _configure_faust(settings, number)
    app.transport = Transport(app.conf.broker_consumer, app)
    decoders = {contract.topic: Decoder(contract) for contract in stream_contracts().values()}
    _log_uncompiled_rules(decoders.values())
    counters = Counters(settings)
    delivery = Delivery(partial(_connect, settings), partial(bury, app), settings.stream_minutes_days)
    health = Health(app, settings, delivery)
    issued = Issued(settings)
    changes = app.topic(*decoders, schema=Runs())

    logged: set[str] = set()

    @app.agent(changes, name="changes", concurrency=1)
    async def follow(stream: Any) -> None:
        try:
            async for records in batches(stream, MOST, WINDOW_S):
                batch = collect(await issued.judge(decode(decoders, records)))
                _log_drift(batch, logged)
                applied = await delivery.deliver(batch)
                counters.note(applied.figures)
                health.note(len(records), applied.quarantined)
                _log_gaps(applied.gaps)
        except BaseException as error:
            # a worker that is being stopped ends by itself and leaves its group; the batch is not acknowledged
            if isinstance(error, asyncio.CancelledError) and app.should_stop:
                raise
            # our own errors say what to do; the traceback of any other shows where the bug is
            why, trace = (f": {error}", False) if isinstance(error, PipelineError) else ("", True)
            log.critical("the stream failed%s; the supervisor restarts it from the last commit", why, exc_info=trace)
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


def _configure_faust(settings: Settings, number: int) -> faust.App:
    """Return a Faust app with our settings."""
    address, web_port = settings.address("kafka_stream"), settings.port("stream") + number
    return faust.App(
        GROUP,
        broker=f"kafka://{brokers_of(address)}",
        broker_credentials=create_credentials(address),
        store="memory://",
        datadir=settings.state / "data" / f"stream-{web_port}",
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        # a worker that is killed and started again takes its partitions back, and the other workers do not stop
        consumer_group_instance_id=f"{GROUP}-{number}",
        topic_allow_declare=False,  # topics are code
        topic_disable_leader=True,
        stream_wait_empty=True,
        stream_buffer_maxsize=8,  # runs, not records; a run may be large
        # Faust takes an idle partition for a stuck one; our watchdog (health.py) does not
        stream_processing_timeout=10**9,
        broker_commit_interval=1.0,
        broker_session_timeout=12,
        # by a heartbeat a worker learns that another joins or leaves
        broker_heartbeat_interval=1,
        broker_rebalance_timeout=30,
        broker_request_timeout=40,
        producer_acks=-1,
        producer_max_request_size=DEAD_LETTER_BYTES,
        web_bind=HOST,
        web_port=web_port,
        web_tables_enabled=False,
    )


def decode(decoders: dict[str, Decoder], records: Sequence[ConsumerRecord]) -> list[Pair]:
    """Return the messages of records with what each says."""
    messages = map(_read_message, records)
    return [(message, decoders[message.topic].decode(message)) for message in messages]


def collect(pairs: Sequence[Pair]) -> Batch:
    """Collect decoded messages into one batch."""
    decoded = [item for _, item in pairs]
    return Batch(
        tuple(item for item in decoded if isinstance(item, RowChange)),
        tuple(item for item in decoded if isinstance(item, DeadLetter)),
        tuple(_collect_offsets(pairs).values()),
        tuple(item for item in decoded if isinstance(item, Truncation)),
    )


def _collect_offsets(pairs: Sequence[Pair]) -> dict[tuple[str, int], Offset]:
    offsets: dict[tuple[str, int], Offset] = {}
    for message, item in pairs:
        first, at, lsn, unnamed = message.offset, None, None, 0
        if isinstance(item, RowChange):
            at, lsn, unnamed = item.committed_at, item.row.src_lsn, int(item.unnamed is not None)
        elif isinstance(item, Truncation):
            at, lsn = item.committed_at, item.lsn
        known = offsets.get((message.topic, message.partition))
        if known:
            first, at, lsn = known.first_offset, at or known.source_at, lsn or known.source_lsn
            unnamed += known.unnamed
        offsets[message.topic, message.partition] = Offset(
            message.topic, message.partition, first, message.offset + 1, at, lsn, unnamed, *_find_gap(known, message)
        )
    return offsets


def _find_gap(before: Offset | None, message: Message) -> tuple[int | None, int | None, int | None]:
    """Return a partition's gap in a batch including this message: first offset, following offset, epoch behind it."""
    if before is None:
        return None, None, message.epoch
    if message.offset <= before.next_offset:
        return before.gap_from, before.gap_to, before.gap_epoch
    first = before.next_offset if before.gap_from is None else before.gap_from
    return first, message.offset, message.epoch


def _read_message(record: ConsumerRecord) -> Message:
    epoch = _read_epoch(dict(record.headers or ()).get(EPOCH))
    return Message(record.topic, record.partition, record.offset, record.key, record.value, epoch)


def _read_epoch(header: bytes | None) -> int | None:
    """Return the epoch in a header; None when it is missing or larger than the warehouse can store."""
    if not header or not header.isdigit() or len(header) > len(str(_HIGHEST_EPOCH)):
        return None
    return epoch if (epoch := int(header)) <= _HIGHEST_EPOCH else None


def _log_uncompiled_rules(decoders: Any) -> None:
    for decoder in decoders:
        for rule in decoder.rules.left_to_the_audit:
            log.warning(
                "rule %s of %s cannot be checked row by row; the hourly audit checks it", rule, decoder.contract.table
            )


def _log_drift(batch: Batch, logged: set[str]) -> None:
    """Log once each field that no contract names, and each column that events lack."""
    drifted = [change for change in batch.changes if change.unnamed or change.absent]
    texts = {
        f"{change.table}: {change.unnamed}; its value is dropped because no contract names the field"
        for change in drifted
        if change.unnamed
    }
    for text in (texts | {_describe_absence(change) for change in drifted if change.absent}) - logged:
        log.warning(text)
        logged.add(text)


def _describe_absence(change: RowChange) -> str:
    return (
        f"{change.table}: events have no field for {', '.join(change.absent)}; existing rows keep their values and new "
        "rows go to quarantine; run `promptsales doctor` for the fix"
    )


def _log_gaps(gaps: Sequence[Gap]) -> None:
    for gap in gaps:
        connector = cast(Connector, gap.topic.split(".")[0])
        log.error("%s; its tables are incomplete; %s", gap, describe_fix(connector))


async def _connect(settings: Settings) -> psycopg.AsyncConnection[Any]:
    return await open_async(settings, "warehouse", "look", application_name=GROUP)

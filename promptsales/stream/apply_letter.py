"""Apply one dead letter without Kafka: decode it again and pass it to the sink, as the worker would.

The Warehouse page replays so, because only the operator may write change events to the brokers. What the worker
refuses is refused here too: a message that still cannot be decoded, and one that its source cannot have issued.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg

from promptsales.connections import open_async
from promptsales.errors import ROW_REFUSED, ConfigError
from promptsales.feeds.manual_action import RECORD, Decision
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.stream.batch import Batch
from promptsales.stream.dead_letter_desk import DELETE, MessagePosition
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import Decoder, RowChange
from promptsales.stream.issued import AHEAD
from promptsales.stream.lag import topics
from promptsales.stream.messages import Message
from promptsales.stream.sink import Sink, exclude_erasures

_LETTER = """
    select topic, partition, message_offset, message_key, message_value, epoch from ops.dead_letter
    where topic = %s and partition = %s and message_offset = %s for update
"""
_EPOCH = "select epoch from ops.connector where connector = %s"
_REACHED = "select max(source_lsn) from ops.stream_offset where topic = any(%s)"


def apply_letter(
    settings: Settings, position: MessagePosition, decision: Decision, address: Mapping[str, Any] | None = None
) -> None:
    """Apply a dead letter, delete it and record who did so, in one transaction.

    Args:
        settings: give the session's limits, and its address unless ``address`` is given.
        position: the message.
        decision: who replays it, and why.
        address: libpq's parameters of the loader's connection, as Airflow stores it.

    Raises:
        ConfigError: when there is no such letter, or it still cannot be applied; nothing is changed.
    """
    try:
        asyncio.run(_apply(settings, position, decision, address))
    except ROW_REFUSED as error:
        raise _unfit(position, f"the warehouse refuses the row ({type(error).__name__} {error.sqlstate})") from None


async def _apply(
    settings: Settings, position: MessagePosition, decision: Decision, address: Mapping[str, Any] | None
) -> None:
    async with await open_async(settings, "warehouse", address=address) as warehouse, warehouse.transaction():
        await exclude_erasures(warehouse)
        row = await (await warehouse.execute(_LETTER, position)).fetchone()
        if row is None:
            raise ConfigError(f"no dead letter at {position}; somebody may have replayed or dropped it meanwhile")
        change = _decode(position, Message(*row))
        await _refuse_forged(warehouse, position, change)
        await Sink(warehouse, settings.stream_minutes_days).apply(Batch((change,), (), ()))
        await warehouse.execute(DELETE, position)
        await warehouse.execute(RECORD, decision.describe("replay", position.topic, str(position)))


def _contract_of(position: MessagePosition) -> StreamContract:
    for contract in stream_contracts().values():
        if contract.topic == position.topic:
            return contract
    raise _unfit(position, "no contract names its topic")


def _decode(position: MessagePosition, message: Message) -> RowChange:
    decoded = Decoder(_contract_of(position)).decode(message)
    if isinstance(decoded, RowChange):
        return decoded
    if isinstance(decoded, DeadLetter):
        raise _unfit(position, decoded.reason)
    raise _unfit(position, "it changes no row; run `promptsales dlq replay`, which sends it to the worker")


async def _refuse_forged(warehouse: psycopg.AsyncConnection[Any], position: MessagePosition, change: RowChange) -> None:
    """Refuse an event of an epoch that has not begun, or from far beyond what was applied.

    The worker asks the source where its log ends (`stream/issued.py`). What was applied lies before that end.
    """
    connector = _contract_of(position).source.system
    epoch, commit, _, lsn = change.version
    (current,) = await (await warehouse.execute(_EPOCH, [connector])).fetchone() or (None,)
    if current is not None and epoch > current:
        raise _unfit(position, f"its epoch {epoch} has not begun: that of {connector} is {current}")
    (reached,) = await (await warehouse.execute(_REACHED, [topics(connector)])).fetchone() or (None,)
    if epoch == current and max(commit, lsn) > (reached or 0) + AHEAD:
        raise _unfit(
            position,
            "its log position lies beyond what was applied; run `promptsales dlq replay`, which asks the source",
        )


def _unfit(position: MessagePosition, why: str) -> ConfigError:
    return ConfigError(f"{position} cannot be applied and is kept: {why}")

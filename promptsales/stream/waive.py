"""Release a quarantine row by hand: it goes to its table unchanged, through the stream's sink.

The row keeps the version it was sent with, so everything follows as from any event, and a newer version replaces it.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from promptsales.connections import open_async
from promptsales.errors import ROW_REFUSED, ConfigError
from promptsales.feeds.manual_action import RECORD, Decision
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract
from promptsales.specs.value_limits import TOO_LARGE
from promptsales.stream import compare
from promptsales.stream.batch import Batch
from promptsales.stream.decode import Decoder, RowChange
from promptsales.stream.known import to_microseconds
from promptsales.stream.repair import Repair, compose_make_way, decode_repair
from promptsales.stream.sink import Sink, exclude_erasures
from promptsales.stream.statements import table
from promptsales.stream.version import Version

_CUT = """
    select 1 from ops.quarantine
    where quarantine_id = %(id)s and released_at is null and exists (select from unnest(rules) r where r like %(rule)s)
"""


def waive(
    settings: Settings,
    contract: StreamContract,
    quarantine_id: int,
    decision: Decision,
    address: Mapping[str, Any] | None = None,
) -> None:
    """Release a row by hand and record who did it, in one transaction.

    Args:
        settings: give the session's limits, and its address unless ``address`` is given.
        contract: the table.
        quarantine_id: the row.
        decision: who releases it, and why.
        address: libpq's parameters of the loader's connection, as Airflow stores it.

    Raises:
        ConfigError: when no such row is open, or the table cannot store it; nothing is changed.
    """
    try:
        asyncio.run(_waive(settings, contract, quarantine_id, decision, address))
    except ROW_REFUSED as error:
        raise _unfit(contract, quarantine_id, f"{type(error).__name__} {error.sqlstate}") from None


async def _waive(
    settings: Settings,
    contract: StreamContract,
    quarantine_id: int,
    decision: Decision,
    address: Mapping[str, Any] | None,
) -> None:
    async with await open_async(settings, "warehouse", address=address) as warehouse, warehouse.transaction():
        await exclude_erasures(warehouse)
        change = await _read_held(contract, warehouse, quarantine_id)
        # without broken rules the sink merges the row: that is the waiver
        batch = Batch((change._replace(broken=[]),), (), ())
        await Sink(warehouse, settings.stream_minutes_days).apply(batch)
        await warehouse.execute(RECORD, decision.describe("release", contract.table, str(quarantine_id)))


async def _read_held(
    contract: StreamContract, warehouse: psycopg.AsyncConnection[Any], quarantine_id: int
) -> RowChange:
    """Return the row as a change, locked in the stream's order: first in its table, then in quarantine."""
    await warehouse.execute(compose_lock(contract), {"id": quarantine_id})
    cut = await (await warehouse.execute(_CUT, {"id": quarantine_id, "rule": TOO_LARGE.format("%")})).fetchone()
    if cut:
        raise _unfit(contract, quarantine_id, "a value was too large for a message and was cut")
    row = await (await warehouse.execute(compare.compose_waive(contract), {"id": quarantine_id})).fetchone()
    if row is None:
        raise ConfigError(
            f"no open row {quarantine_id} in quarantine; `promptsales quarantine list` shows the open rows"
        )
    key, sent, *version, committed_at = row
    held = Repair(key, sent, Version(*version), to_microseconds(committed_at))
    # a row that the audit set aside has the same version as the table's row
    await warehouse.execute(compose_make_way(contract), {"key": key, **held.version._asdict()})
    change = decode_repair(Decoder(contract, may_be_cut=False), held)
    if change is None:
        raise _unfit(contract, quarantine_id, "a value cannot be read")
    if change.left_out:
        raise _unfit(contract, quarantine_id, f"the source did not send {', '.join(change.left_out)}")
    if not _is_finite(change):
        raise _unfit(contract, quarantine_id, "a number is not finite")
    return change


def _is_finite(change: RowChange) -> bool:
    """Return True if every number is finite: a sum that includes NaN stays NaN for ever."""
    values = (getattr(change.row, name) for name in change.row.__struct_fields__)
    return all(value.is_finite() for value in values if isinstance(value, Decimal))


def compose_lock(contract: StreamContract) -> sql.Composed:
    """Compose a query that locks the table's row of a quarantine row (parameter ``id``)."""
    return sql.SQL("""
        select from {table} t where t.{key} = (
            select key::{type} from ops.quarantine where quarantine_id = %(id)s and feed = {feed}
        ) for update
    """).format(
        table=table(contract), key=sql.Identifier(contract.key), feed=sql.Literal(contract.table),
        type=sql.SQL(contract.key_type),
    )  # fmt: skip


def _unfit(contract: StreamContract, quarantine_id: int, why: str) -> ConfigError:
    return ConfigError(
        f"row {quarantine_id} cannot be released: {contract.layer}.{contract.table} cannot hold it ({why}); fix it at "
        "the source, the stream then applies it automatically"
    )

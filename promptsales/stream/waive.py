"""A row of quarantine that somebody lets through: into its table as it is, by the stream's own sink.

It has the version it was sent with: what follows from it follows as from any event, and a newer one replaces it.
"""

import asyncio
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from promptsales.connections import open_async
from promptsales.errors import ROW_REFUSED, ConfigError
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract
from promptsales.specs.value_limits import TOO_LARGE
from promptsales.stream import compare
from promptsales.stream.batch import Batch
from promptsales.stream.decode import Change, Decoder
from promptsales.stream.known import microseconds
from promptsales.stream.repair import Repair, change_of, make_way
from promptsales.stream.sink import Sink, exclude_erasures
from promptsales.stream.statements import table
from promptsales.stream.version import Version

_CUT = """
    select 1 from ops.quarantine
    where quarantine_id = %(id)s and released_at is null and exists (select from unnest(rules) r where r like %(rule)s)
"""


def waive(settings: Settings, contract: StreamContract, quarantine_id: int) -> None:
    """Release a row by hand, in one transaction.

    Raises:
        ConfigError: when no such row is open, or the table cannot hold it; nothing was done.
    """
    try:
        asyncio.run(_waive(settings, contract, quarantine_id))
    except ROW_REFUSED as error:
        raise _unfit(contract, quarantine_id, f"{type(error).__name__} {error.sqlstate}") from None


async def _waive(settings: Settings, contract: StreamContract, quarantine_id: int) -> None:
    async with await open_async(settings, "warehouse") as warehouse, warehouse.transaction():
        await exclude_erasures(warehouse)
        change = await _held(contract, warehouse, quarantine_id)
        # what broke a rule does so no more: that is the waiver
        batch = Batch((change._replace(broken=[]),), (), ())
        await Sink(warehouse, settings.stream_minutes_days).apply(batch)


async def _held(contract: StreamContract, warehouse: psycopg.AsyncConnection[Any], quarantine_id: int) -> Change:
    """The row as a change, locked: first in its table, then in quarantine, as the stream does."""
    await warehouse.execute(lock(contract), {"id": quarantine_id})
    cut = await (await warehouse.execute(_CUT, {"id": quarantine_id, "rule": TOO_LARGE.format("%")})).fetchone()
    if cut:
        raise _unfit(contract, quarantine_id, "its value was too large for a message, so that it was cut")
    row = await (await warehouse.execute(compare.held(contract), {"id": quarantine_id})).fetchone()
    if row is None:
        raise ConfigError(f"no open row {quarantine_id} in quarantine; `promptsales quarantine list` shows them")
    key, sent, *version, committed_at = row
    held = Repair(key, sent, Version(*version), microseconds(committed_at))
    # a row that the audit has set aside has the version of what the table shows
    await warehouse.execute(make_way(contract), {"key": key, **held.version._asdict()})
    change = change_of(Decoder(contract, may_be_cut=False), held)
    if change is None:
        raise _unfit(contract, quarantine_id, "a value that cannot be read")
    if change.left_out:
        raise _unfit(
            contract, quarantine_id, f"nobody knows its {', '.join(change.left_out)}: the source did not send it"
        )
    if not _is_finite(change):
        raise _unfit(contract, quarantine_id, "a number that is none")
    return change


def _is_finite(change: Change) -> bool:
    """Whether every number is one: a sum with NaN would stay NaN, whatever comes after it."""
    values = (getattr(change.row, name) for name in change.row.__struct_fields__)
    return all(value.is_finite() for value in values if isinstance(value, Decimal))


def lock(contract: StreamContract) -> sql.Composed:
    """Lock the table's row that a row of quarantine (parameter ``id``) stands for."""
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
        f"row {quarantine_id} cannot be released: {contract.layer}.{contract.table} cannot hold it ({why}); mend it at "
        "the source, the stream then takes it by itself"
    )

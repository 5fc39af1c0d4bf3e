"""Rows of a source in the form of a Debezium snapshot, applied by the sink to any warehouse."""

import asyncio
import csv
import json
import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.stream.batch import Batch
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import Decoder, RowChange
from promptsales.stream.messages import Message
from promptsales.stream.sink import Applied, Sink
from promptsales.stream.truncations import Truncation
from tests.support.events import message

_DECODERS = {contract.topic: Decoder(contract) for contract in stream_contracts().values()}


def batch_of(messages: Sequence[Message]) -> Batch:
    """Return the batch that the app makes of messages, without offsets."""
    decoded = [_DECODERS[message.topic].decode(message) for message in messages]
    changes = tuple(item for item in decoded if isinstance(item, RowChange))
    dead = tuple(item for item in decoded if isinstance(item, DeadLetter))
    return Batch(changes, dead, (), tuple(item for item in decoded if isinstance(item, Truncation)))


async def apply(address: str, messages: Sequence[Message]) -> Applied:
    """Apply messages as one batch."""
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as warehouse:
        return await Sink(warehouse, 14).apply(batch_of(messages))


def snapshot(source: psycopg.Connection, warehouse: psycopg.Connection, *tables: str) -> Applied:
    """Read all rows of streamed tables from the source and apply them to the warehouse of a connection."""
    events = [event for table in tables for event in _events(source, stream_contracts()[table])]
    address = f"{warehouse.info.dsn} password={warehouse.info.password}"
    return asyncio.run(apply(address, events))


def _events(source: psycopg.Connection, contract: StreamContract) -> list[Message]:
    query = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(map(sql.Identifier, contract.origins)),
        sql.Identifier(*contract.source.relation.split(".")),
    )
    with source.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query).fetchall()
    read_us = time.time_ns() // 1000
    return [
        message("r", {name: _sent(value) for name, value in row.items()}, number, topic=contract.topic, at_us=read_us)
        for number, row in enumerate(rows, 1)
    ]


def _sent(value: Any) -> Any:
    """Return a value as Debezium writes it with the settings of our connectors."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, Decimal | UUID):
        return str(value)
    return json.dumps(value) if isinstance(value, dict) else value


def file_rows(path: Path) -> list[dict[str, str | None]]:
    """Return the rows of a CSV file; an empty cell is null."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]

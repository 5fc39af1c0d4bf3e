"""Judge the stream's open quarantine rows again: a rule may have changed, or a date may no longer lie in the future.

Rows that pass every rule go to their table through the stream's sink, at the version they have; a newer version that
arrives in the meantime wins. The hourly audit does this, and so does the first worker at its start and every hour.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from promptsales.connections import connected
from promptsales.errors import PipelineError, describe
from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import read_suite
from promptsales.stream.decode import Decoder
from promptsales.stream.known import to_microseconds
from promptsales.stream.repair import REFUSAL_RULES, Repair, decode_repair, repair
from promptsales.stream.sent import compose_missing_columns, compose_payload_columns, compose_sent_row
from promptsales.stream.version import Version, version_of

log = logger(__name__)

_EACH_S, _PAUSE_S = 3600.0, 60.0
# rows read at once
_ROWS = 1000


class _Open(NamedTuple):
    """An open quarantine row, and the rules it broke when it was last judged."""

    quarantine_id: int
    repair: Repair
    rules: list[str]
    suite_checksum: str


def start(settings: Settings) -> None:
    """Start a thread that judges every hour until the process ends."""
    threading.Thread(target=_judge_for_ever, args=(settings,), name="judge", daemon=True).start()


def _judge_for_ever(settings: Settings) -> None:
    while True:
        try:
            with connected(settings, "warehouse") as warehouse:
                for contract in stream_contracts().values():
                    judge_again(settings, contract, warehouse)
            pause = _EACH_S
        except (PipelineError, psycopg.Error) as error:
            # the driver's message may quote a row
            why = describe(error) if isinstance(error, psycopg.Error) else error
            log.warning("cannot judge quarantine again: %s; retrying in %d s", why, _PAUSE_S)
            pause = _PAUSE_S
        time.sleep(pause)


def judge_again(settings: Settings, contract: StreamContract, warehouse: psycopg.Connection) -> int:
    """Judge the open rows of a table by today's rules and the current time; return how many left quarantine.

    A row with the same verdict does not change. A row that its table refused is retried once a day, or when the rules
    have changed.

    Raises:
        psycopg.Error: as the driver raises it, unless a row is the cause; the next call continues.
    """
    decoder, checksum, freed = Decoder(contract, may_be_cut=False), read_suite(contract).checksum, 0
    for rows in _read_chunks(contract, warehouse, checksum):
        changed = [row.repair for row in rows if _has_changed(decoder, row, checksum)]
        if changed:
            asyncio.run(repair(settings, contract, changed))
            freed += _count_released(contract, warehouse, [str(row.key) for row in changed])
    if freed:
        log.info("%s: %d rows left quarantine because they pass the rules now", contract.table, freed)
    return freed


def _has_changed(decoder: Decoder, row: _Open, checksum: str) -> bool:
    change = decode_repair(decoder, row.repair)
    if change is None or change.left_out:
        return False  # unreadable, or incomplete because the source did not send a column: the audit repairs it
    return sorted(change.broken) != sorted(row.rules) or row.suite_checksum != checksum


def _read_chunks(contract: StreamContract, warehouse: psycopg.Connection, checksum: str) -> Iterator[list[_Open]]:
    last = 0
    while rows := _read(contract, warehouse, checksum, last):
        yield rows
        last = rows[-1].quarantine_id


def _read(contract: StreamContract, warehouse: psycopg.Connection, checksum: str, after: int) -> list[_Open]:
    values = {"after": after, "checksum": checksum, "refused": list(REFUSAL_RULES), "rows": _ROWS}
    with warehouse.transaction():
        # naive times at the source are UTC
        warehouse.execute("set local time zone 'UTC'")
        return [_build_open(*row) for row in warehouse.execute(compose_open_rows(contract), values)]


def _build_open(
    number: int, key: Any, row: Any, values: str, epoch: int, commit: int, lsn: int, is_snapshot: bool, at: datetime,
    now: datetime, rules: list[str], checksum: str,
) -> _Open:  # fmt: skip
    attempt = Repair(key, row, Version(epoch, commit, lsn, is_snapshot), to_microseconds(at), values, judged_at=now)
    return _Open(number, attempt, rules, checksum)


def compose_open_rows(contract: StreamContract) -> sql.Composed:
    """Compose a query for the open quarantine rows to judge again, in their event form."""
    return sql.SQL("""
        select _id, to_jsonb({key}), {sent} - {missing}, _payload::text, {version},
               coalesce(committed_at, _tried_at), clock_timestamp(), _rules, _checksum
        from (
            select quarantine_id as _id, payload as _payload, rules as _rules, suite_checksum as _checksum,
                   last_tried_at as _tried_at
            from ops.quarantine
            where feed = {feed} and released_at is null and quarantine_id > %(after)s and not (
                rules <@ %(refused)s and suite_checksum = %(checksum)s
                and last_tried_at > clock_timestamp() - interval '1 day'
            )
            order by quarantine_id limit %(rows)s
        ) q cross join lateral jsonb_to_record(_payload) as x({types})
        order by _id
    """).format(
        key=sql.Identifier(contract.key), sent=compose_sent_row(contract), feed=sql.Literal(contract.table),
        missing=compose_missing_columns(contract, sql.SQL("_payload"), is_at_source=True),
        types=compose_payload_columns(contract), version=version_of("x"),
    )  # fmt: skip


def _count_released(contract: StreamContract, warehouse: psycopg.Connection, keys: list[str]) -> int:
    """Return how many of some keys have no open row any more."""
    query = "select count(*) from ops.quarantine where feed = %s and key = any(%s) and released_at is null"
    row = warehouse.execute(query, [contract.table, keys]).fetchone()
    return len(keys) - (row[0] if row else 0)

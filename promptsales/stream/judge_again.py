"""Rows of the stream in quarantine, judged again: a rule may have changed since, or the day may have come for a date.

Those that keep every rule now go to their table by the stream's own sink, at the version they have; a newer version
that comes meanwhile wins. The hourly audit does it, and the first worker when it starts and each hour.
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
from promptsales.errors import PipelineError
from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import read_suite
from promptsales.stream.decode import Decoder
from promptsales.stream.known import microseconds
from promptsales.stream.repair import REFUSED, Repair, change_of, repair
from promptsales.stream.sent import missing, payload, sent
from promptsales.stream.version import Version, version_of

log = logger(__name__)

_EACH_S, _PAUSE_S = 3600.0, 60.0
# how many rows are read at once
_ROWS = 1000


class _Open(NamedTuple):
    """An open row of quarantine, and the rules it broke when it was last judged."""

    quarantine_id: int
    repair: Repair
    rules: list[str]
    suite_checksum: str


def start(settings: Settings) -> None:
    """Begin to judge, until the process ends."""
    threading.Thread(target=_judge_for_ever, args=(settings,), name="judge", daemon=True).start()


def _judge_for_ever(settings: Settings) -> None:
    while True:
        try:
            with connected(settings, "warehouse") as warehouse:
                for contract in stream_contracts().values():
                    judge_again(settings, contract, warehouse)
            pause = _EACH_S
        except (PipelineError, psycopg.Error) as error:
            # a driver's own text may quote a row
            log.warning("quarantine is not judged again yet: %s; retried in %d s", type(error).__name__, _PAUSE_S)
            pause = _PAUSE_S
        time.sleep(pause)


def judge_again(settings: Settings, contract: StreamContract, warehouse: psycopg.Connection) -> int:
    """Judge the open rows of a table by today's rules and the present time; how many kept them and left quarantine.

    A row whose verdict is the same stays as it is. One that its table refused is tried again once a day, or when the
    rules have changed.

    Raises:
        psycopg.Error: as the driver, for what is no row's fault; the next call goes on.
    """
    decoder, checksum, freed = Decoder(contract, may_be_cut=False), read_suite(contract).checksum, 0
    for rows in _chunks(contract, warehouse, checksum):
        changed = [one.repair for one in rows if _has_changed(decoder, one, checksum)]
        if changed:
            asyncio.run(repair(settings, contract, changed))
            freed += _released(contract, warehouse, [str(one.key) for one in changed])
    if freed:
        log.info("%s: %d rows left quarantine, as they keep the rules now", contract.table, freed)
    return freed


def _has_changed(decoder: Decoder, one: _Open, checksum: str) -> bool:
    change = change_of(decoder, one.repair)
    if change is None or change.left_out:
        return False  # it cannot be read, or nobody knows what the source did not send: the audit repairs it
    return sorted(change.broken) != sorted(one.rules) or one.suite_checksum != checksum


def _chunks(contract: StreamContract, warehouse: psycopg.Connection, checksum: str) -> Iterator[list[_Open]]:
    last = 0
    while rows := _read(contract, warehouse, checksum, last):
        yield rows
        last = rows[-1].quarantine_id


def _read(contract: StreamContract, warehouse: psycopg.Connection, checksum: str, after: int) -> list[_Open]:
    values = {"after": after, "checksum": checksum, "refused": list(REFUSED), "rows": _ROWS}
    with warehouse.transaction():
        # naive times at the source are UTC, and are read back so
        warehouse.execute("set local time zone 'UTC'")
        return [_open(*row) for row in warehouse.execute(open_rows(contract), values)]


def _open(
    number: int, key: Any, row: Any, values: str, epoch: int, commit: int, lsn: int, is_snapshot: bool, at: datetime,
    now: datetime, rules: list[str], checksum: str,
) -> _Open:  # fmt: skip
    one = Repair(key, row, Version(epoch, commit, lsn, is_snapshot), microseconds(at), values, judged_at=now)
    return _Open(number, one, rules, checksum)


def open_rows(contract: StreamContract) -> sql.Composed:
    """Compose the open rows of quarantine that are to be judged again, as the stream would send them."""
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
        key=sql.Identifier(contract.key), sent=sent(contract), feed=sql.Literal(contract.table),
        missing=missing(contract, sql.SQL("_payload"), is_at_source=True), types=payload(contract),
        version=version_of("x"),
    )  # fmt: skip


def _released(contract: StreamContract, warehouse: psycopg.Connection, keys: list[str]) -> int:
    """How many of some keys have no open row any more."""
    query = "select count(*) from ops.quarantine where feed = %s and key = any(%s) and released_at is null"
    row = warehouse.execute(query, [contract.table, keys]).fetchone()
    return len(keys) - (row[0] if row else 0)

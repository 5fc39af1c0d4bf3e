"""Deliver a batch: retry while a server is away, and isolate the row that PostgreSQL refuses."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from promptsales.errors import ROW_REFUSED, TransientError, describe, is_transient
from promptsales.printable import logger
from promptsales.stream.batch import Batch
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.sink import Applied, Sink

log = logger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 10.0

Open = Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]
Bury = Callable[[DeadLetter], Awaitable[None]]


class Delivery:
    """Delivers batches; ``is_waiting`` is True while a server is away, so that nothing can move."""

    def __init__(self, connect: Open, bury: Bury, minutes_days: int) -> None:
        self._connect, self._bury, self._minutes_days = connect, bury, minutes_days
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self.is_waiting = False

    async def deliver(self, batch: Batch) -> Applied:
        """Apply a batch; return once it is committed.

        Raises:
            psycopg.Error: for an error that is neither an outage nor caused by a row; nothing was applied.
            ConfigError: when the warehouse refuses the login.
        """
        for letter in batch.dead:
            await self._bury(letter)
        try:
            return await self._apply(batch)
        except ROW_REFUSED as error:
            return await self._without_the_refused(batch, error)

    async def _without_the_refused(self, batch: Batch, error: psycopg.Error) -> Applied:
        if not batch.changes:
            raise error
        if len(batch.changes) == 1:
            refused = DeadLetter(
                batch.changes[0].message, f"refused by the warehouse: {type(error).__name__} {error.sqlstate}"
            )
            return await self.deliver(batch._replace(changes=(), dead=(*batch.dead, refused)))
        first, second = [await self.deliver(half) for half in batch.split()]
        return Applied(first.figures + second.figures, first.quarantined + second.quarantined, second.gaps)

    async def _apply(self, batch: Batch) -> Applied:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                applied = await (await self._sink()).apply(batch)
            except (psycopg.Error, TransientError) as error:
                if isinstance(error, psycopg.Error) and not is_transient(error):
                    raise
                self.is_waiting = True
                # the driver's text may quote a row or an address
                why = describe(error) if isinstance(error, psycopg.Error) else error
                log.warning("a batch waits: %s; retrying in %.2f s", why, pause)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - workers must not retry in step
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                self.is_waiting = False
                return applied

    async def _sink(self) -> Sink:
        if self._connection is None or self._connection.closed:
            self._connection = await self._connect()
        return Sink(self._connection, self._minutes_days)

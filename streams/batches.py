"""Batches of a Faust stream of runs: what came within a short window, or while the batch before was applied.

So the batch grows with the backlog. A run is acknowledged when the next batch is asked for, after its transaction.
Faust's own ``take()`` has a fixed window, and after an exception may never hand over an event again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from faust.types import EventT, StreamT

# runs that wait, and the bytes of their values; beyond either the consumer waits, too
_QUEUED, _QUEUED_BYTES = 40, 2**24
# of a batch, give or take a run: more would be too much for one statement's parameter
_BATCH_BYTES = 2**23

Run = Sequence[Any]
Event = EventT[Run] | None  # None ends it


class Waiting(asyncio.Queue[Event]):
    """Runs that wait: so many, or so large that no more may come."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def full(self) -> bool:
        """Whether whoever puts one has to wait."""
        return super().full() or self._bytes >= _QUEUED_BYTES

    def _put(self, item: Event) -> None:
        self._bytes += _size(item)
        super()._put(item)

    def _get(self) -> Event:
        item: Event = super()._get()
        self._bytes -= _size(item)
        return item


def _size(event: Event) -> int:
    """The bytes of a run."""
    return sum(len(record.value or b"") for record in cast(Run, event.value)) if event else 0


async def batches(stream: StreamT[Run], most: int, window_s: float) -> AsyncIterator[list[Any]]:
    """Lists of about ``most`` records and 8 MiB at the most, each acknowledged once the next is asked for.

    What the stream raises comes after the batches before it.
    """
    stream = cast(Any, stream).noack()  # its protocol leaves it out
    queue = Waiting(_QUEUED)
    pump = asyncio.create_task(_pump(stream, queue))
    try:
        is_over = False
        while not is_over:
            # what a transaction brings to several partitions comes one after the other
            is_idle = queue.empty()
            first = await queue.get()
            if is_idle:
                await asyncio.sleep(window_s)
            runs, is_over = _taken(first, queue, most)
            if runs:
                yield [record for run in runs for record in cast(Run, run.value)]
            for run in runs:
                await stream.ack(run)
        await pump
    finally:
        pump.cancel()


async def _pump(stream: StreamT[Run], queue: Waiting) -> None:
    """Put the runs of a stream into a queue, and None behind the last."""
    try:
        async for event in stream.events():
            await queue.put(event)
    except Exception:
        await queue.put(None)
        raise
    await queue.put(None)


def _taken(first: Event, queue: Waiting, most: int) -> tuple[list[EventT[Run]], bool]:
    """The first run and those that wait behind it, until there are records enough; and whether that is the end."""
    runs: list[EventT[Run]] = []
    event, records, size = first, 0, 0
    while event is not None:
        runs.append(event)
        records += len(cast(Run, event.value))
        size += _size(event)
        if records >= most or size >= _BATCH_BYTES or queue.empty():
            return runs, False
        event = queue.get_nowait()
    return runs, True

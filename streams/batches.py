"""Collect the runs of a Faust stream into batches: those of a short window, or of the time the last batch took.

A batch therefore grows with the backlog. A run is acknowledged when the next batch is requested, after its transaction.
Faust's own ``take()`` has a fixed window, and after an exception it may never deliver an event again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from faust.types import EventT, StreamT

# limits of waiting runs and of the bytes of their values; at either the consumer waits too
_QUEUED, _QUEUED_BYTES = 40, 2**24
# bytes of a batch, give or take a run: the batch is one parameter of a statement
_BATCH_BYTES = 2**23

Run = Sequence[Any]
Event = EventT[Run] | None  # None ends the stream


class Waiting(asyncio.Queue[Event]):
    """A queue of runs, limited by count and by bytes."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def full(self) -> bool:
        """Return True if a producer has to wait."""
        return super().full() or self._bytes >= _QUEUED_BYTES

    def _put(self, item: Event) -> None:
        self._bytes += _count_bytes(item)
        super()._put(item)

    def _get(self) -> Event:
        item: Event = super()._get()
        self._bytes -= _count_bytes(item)
        return item


def _count_bytes(event: Event) -> int:
    """Return the bytes of a run's values."""
    return sum(len(record.value or b"") for record in cast(Run, event.value)) if event else 0


async def batches(stream: StreamT[Run], most: int, window_s: float) -> AsyncIterator[list[Any]]:
    """Yield lists of about ``most`` records and 8 MiB at most; each is acknowledged when the next is requested.

    An exception of the stream is raised after the batches before it.
    """
    stream = cast(Any, stream).noack()  # noack is missing in StreamT
    queue = Waiting(_QUEUED)
    pump = asyncio.create_task(_pump(stream, queue))
    try:
        is_over = False
        while not is_over:
            # the partitions of one transaction arrive one after the other
            is_idle = queue.empty()
            first = await queue.get()
            if is_idle:
                await asyncio.sleep(window_s)
            runs, is_over = _take_waiting(first, queue, most)
            if runs:
                yield [record for run in runs for record in cast(Run, run.value)]
            for run in runs:
                await stream.ack(run)
        await pump
    finally:
        pump.cancel()


async def _pump(stream: StreamT[Run], queue: Waiting) -> None:
    """Put the runs of a stream into a queue, and None after the last."""
    try:
        async for event in stream.events():
            await queue.put(event)
    except Exception:
        await queue.put(None)
        raise
    await queue.put(None)


def _take_waiting(first: Event, queue: Waiting, most: int) -> tuple[list[EventT[Run]], bool]:
    """Return the first run and those waiting behind it, up to the batch's limits, and whether the stream ended."""
    runs: list[EventT[Run]] = []
    event, records, size = first, 0, 0
    while event is not None:
        runs.append(event)
        records += len(cast(Run, event.value))
        size += _count_bytes(event)
        if records >= most or size >= _BATCH_BYTES or queue.empty():
            return runs, False
        event = queue.get_nowait()
    return runs, True

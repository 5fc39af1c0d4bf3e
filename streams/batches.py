"""Batches of a Faust stream of runs: what came within a short window, or while the batch before was applied.

So the batch grows with the backlog. A run is acknowledged when the next batch is asked for, after its transaction.
Faust's own ``take()`` has a fixed window, and after an exception may never hand over an event again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from faust.types import EventT, StreamT

# runs that wait; beyond it the consumer waits, too
_QUEUED = 40

Run = Sequence[Any]
# None ends it
Waiting = asyncio.Queue[EventT[Run] | None]


async def batches(stream: StreamT[Run], most: int, window_s: float) -> AsyncIterator[list[Any]]:
    """Lists of about ``most`` records at the most, each acknowledged once the consumer comes back for the next.

    What the stream raises comes after the batches before it.
    """
    stream = cast(Any, stream).noack()  # its protocol leaves it out
    queue: Waiting = asyncio.Queue(_QUEUED)
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


def _taken(first: EventT[Run] | None, queue: Waiting, most: int) -> tuple[list[EventT[Run]], bool]:
    """The first run and those that wait behind it, until there are records enough; and whether that is the end."""
    runs: list[EventT[Run]] = []
    event, size = first, 0
    while event is not None:
        runs.append(event)
        size += len(cast(Run, event.value))
        if size >= most or queue.empty():
            return runs, False
        event = queue.get_nowait()
    return runs, True

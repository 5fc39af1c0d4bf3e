"""Batches of a Faust stream of runs: what came within a short window, or while the batch before was applied.

So the batch grows with the backlog. A run is acknowledged when the next batch is asked for, after its transaction.
Faust's own ``take()`` has a fixed window, and dies for good on an exception.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from faust.types import EventT, StreamT

# runs that wait; beyond it the consumer waits, too
_QUEUED = 40

Run = Sequence[Any]


async def batches(stream: StreamT[Run], most: int, window_s: float) -> AsyncIterator[list[Any]]:
    """Lists of about ``most`` records at the most, each acknowledged once the consumer comes back for the next."""
    stream = cast(Any, stream).noack()  # its protocol leaves it out
    queue: asyncio.Queue[EventT[Run] | None] = asyncio.Queue(_QUEUED)

    async def pump() -> None:
        async for event in stream.events():
            await queue.put(event)
        await queue.put(None)

    task = asyncio.create_task(pump())
    # an error in the stream itself ends the batches too
    task.add_done_callback(lambda done: None if done.cancelled() or not done.exception() else queue.put_nowait(None))
    try:
        while True:
            # what a transaction brings to several partitions comes one after the other
            is_idle = queue.empty()
            event = await queue.get()
            if is_idle:
                await asyncio.sleep(window_s)
            runs: list[EventT[Run]] = []
            size = 0
            while event is not None:
                runs.append(event)
                size += len(cast(Run, event.value))
                if size >= most or queue.empty():
                    break
                event = queue.get_nowait()
            if not runs:
                return
            yield [record for run in runs for record in cast(Run, run.value)]
            for run in runs:
                await stream.ack(run)
    finally:
        task.cancel()

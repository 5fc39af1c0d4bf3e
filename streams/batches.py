"""Batches of a Faust stream: what came within a short window, or while the batch before was applied.

So the batch grows with the backlog. An event is acknowledged when the next batch is asked for, after its transaction.
Faust's own ``take()`` has a fixed window, and dies for good on an exception.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from faust.types import EventT, StreamT


async def batches(stream: StreamT[Any], most: int, window_s: float) -> AsyncIterator[list[EventT[Any]]]:
    """Lists of events, each acknowledged once the consumer comes back for the next."""
    stream = cast(Any, stream).noack()  # its protocol leaves it out
    queue: asyncio.Queue[EventT[Any] | None] = asyncio.Queue(maxsize=2 * most)

    async def pump() -> None:
        async for event in stream.events():
            await queue.put(event)
        await queue.put(None)

    task = asyncio.create_task(pump())
    # an error in the stream itself ends the batches too
    task.add_done_callback(lambda done: None if done.cancelled() or not done.exception() else queue.put_nowait(None))
    try:
        while (first := await queue.get()) is not None:
            if queue.qsize() < most:
                await asyncio.sleep(window_s)
            found = [first, *filter(None, (queue.get_nowait() for _ in range(min(queue.qsize(), most - 1))))]
            yield found
            for event in found:
                await stream.ack(event)
    finally:
        task.cancel()

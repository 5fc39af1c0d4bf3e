"""Batches: waiting events are taken together, and acknowledged only once they are applied."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, cast

import pytest
from faust.types import StreamT

from streams.batches import batches


class Record(int):
    """A record of so many bytes."""

    @property
    def value(self) -> bytes | None:
        """The value; None, as of a tombstone, when it has no bytes."""
        return bytes(self) if self else None


class Event(NamedTuple):
    """Several records, as Faust hands them over."""

    value: list[Record]


class Runs:
    """The part of a Faust stream that `batches` uses: the events to take, and their acknowledgement."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[list[int] | None] = asyncio.Queue()
        self.done: list[list[int]] = []

    def noack(self) -> "Runs":
        """Return itself: it never acknowledges on its own."""
        return self

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events; an empty one raises an error, None ends the stream."""
        while (run := await self.queue.get()) is not None:
            if not run:
                raise ValueError("the stream broke")
            yield Event([Record(size) for size in run])

    async def ack(self, event: Event) -> None:
        """Record that an event is acknowledged."""
        self.done.append([int(record) for record in event.value])

    def put(self, *runs: list[int] | None) -> None:
        """Add events."""
        for run in runs:
            self.queue.put_nowait(run)


def collected(runs: Runs, most: int, later: list[list[int] | None]) -> list[tuple[list[int], list[list[int]]]]:
    """Return each batch with what was acknowledged before it was finished; ``later`` arrives during the first."""

    async def work() -> list[tuple[list[int], list[list[int]]]]:
        finished = []
        async for batch in batches(cast(StreamT[Any], runs), most, 0.001):
            runs.put(*later)
            later.clear()
            await asyncio.sleep(0.01)
            finished.append((batch, list(runs.done)))
        return finished

    return asyncio.run(asyncio.wait_for(work(), 60))


def test_what_comes_during_a_batch_is_the_next_one() -> None:
    runs = Runs()
    runs.put([1, 2])
    assert collected(runs, 100, [[3], [4, 5], None]) == [([1, 2], []), ([3, 4, 5], [[1, 2]])]
    assert runs.done == [[1, 2], [3], [4, 5]]


def test_a_batch_ends_when_it_is_large_enough() -> None:
    runs = Runs()
    runs.put([1], [2, 3], [4], None)
    assert [batch for batch, _ in collected(runs, 2, [])] == [[1, 2, 3], [4]]


def test_a_batch_of_large_records_ends_sooner_and_few_of_them_wait() -> None:
    runs, large = Runs(), 2**23
    runs.put(*[[large]] * 10, [1], [0], None)

    async def left() -> tuple[int, list[list[int]]]:
        taken, waiting = [], 0
        async for batch in batches(cast(StreamT[Any], runs), 100, 0.001):
            await asyncio.sleep(0.01)
            # one is in the batch, two wait, and one more is held until there is room
            waiting = waiting or runs.queue.qsize()
            taken.append([int(record) for record in batch])
        return waiting, taken

    assert asyncio.run(asyncio.wait_for(left(), 60)) == (13 - 1 - 2 - 1, [*[[large]] * 10, [1, 0]])


@pytest.mark.parametrize("waiting", [0, 1, 100])
def test_an_error_of_the_stream_comes_after_what_was_before_it(waiting: int) -> None:
    runs = Runs()
    runs.put([1])
    with pytest.raises(ValueError, match="broke"):
        collected(runs, 1, [*([number] for number in range(waiting)), []])
    assert runs.done == [[1], *([number] for number in range(waiting))]


@pytest.mark.parametrize("most", [1, 1000])
def test_nothing_is_lost_or_doubled(most: int) -> None:
    runs = Runs()
    runs.put(*([number] for number in range(30)), None)
    assert [number for batch, _ in collected(runs, most, []) for number in batch] == list(range(30))

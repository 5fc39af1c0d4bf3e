"""Batches: what waits comes together, and is acknowledged only once it is done."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, cast

import pytest
from faust.types import StreamT

from streams.batches import batches


class Record(int):
    """A record: how many bytes its value has."""

    @property
    def value(self) -> bytes | None:
        """The value; one of no bytes is that of a tombstone."""
        return bytes(self) if self else None


class Event(NamedTuple):
    """A run, as Faust hands it over."""

    value: list[Record]


class Runs:
    """What `batches` asks of a Faust stream: events to take, and whom to tell that one is done."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[list[int] | None] = asyncio.Queue()
        self.done: list[list[int]] = []

    def noack(self) -> "Runs":
        """Itself: it acknowledges nothing by itself."""
        return self

    async def events(self) -> AsyncIterator[Event]:
        """The runs; an empty one breaks it, None ends it."""
        while (run := await self.queue.get()) is not None:
            if not run:
                raise ValueError("the stream broke")
            yield Event([Record(size) for size in run])

    async def ack(self, event: Event) -> None:
        """Note that a run is done."""
        self.done.append([int(record) for record in event.value])

    def put(self, *runs: list[int] | None) -> None:
        """Have runs come."""
        for run in runs:
            self.queue.put_nowait(run)


def collected(runs: Runs, most: int, later: list[list[int] | None]) -> list[tuple[list[int], list[list[int]]]]:
    """Each batch, and what was acknowledged while it was worked on; ``later`` comes during the first."""

    async def work() -> list[tuple[list[int], list[list[int]]]]:
        found = []
        async for batch in batches(cast(StreamT[Any], runs), most, 0.001):
            runs.put(*later)
            later.clear()
            await asyncio.sleep(0.01)
            found.append((batch, list(runs.done)))
        return found

    return asyncio.run(asyncio.wait_for(work(), 5))


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
        found, waiting = [], 0
        async for batch in batches(cast(StreamT[Any], runs), 100, 0.001):
            await asyncio.sleep(0.01)
            # one is in the batch, two wait, and one more is held until there is room
            waiting = waiting or runs.queue.qsize()
            found.append([int(record) for record in batch])
        return waiting, found

    assert asyncio.run(asyncio.wait_for(left(), 5)) == (13 - 1 - 2 - 1, [*[[large]] * 10, [1, 0]])


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
    runs.put(*([number] for number in range(300)), None)
    assert [number for batch, _ in collected(runs, most, []) for number in batch] == list(range(300))

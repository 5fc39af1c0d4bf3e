"""A batch is retried while a server is unavailable, and applied at once without a row that PostgreSQL refuses."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
import pytest

from promptsales.stream.batch import Batch, Offset
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import RowChange
from promptsales.stream.messages import Message
from promptsales.stream.sink import Applied, Sink
from promptsales.stream.version import Rank
from streams.delivery import Delivery

OFFSETS = (Offset("t", 0, 0, 8, None, None, 0),)


def change(number: int) -> RowChange:
    return RowChange(
        "t", number, Rank(1, number, True, number), datetime.now(UTC), None, [], Message("t", 0, number, None, b"v", 1)
    )


def batch(*numbers: int, dead: int | None = None) -> Batch:
    letters = () if dead is None else (DeadLetter(change(dead).message, "why"),)
    return Batch(tuple(map(change, numbers)), letters, OFFSETS)


class Warehouse:
    """A sink that applies or refuses whole batches, as a transaction does."""

    def __init__(self, refuses: Callable[[Batch], psycopg.Error | None]) -> None:
        self.refuses, self.tries, self.buried = refuses, 0, list[int]()
        self.applied: list[Batch] = []

    async def apply(self, work: Batch) -> Applied:
        """Apply a batch, or raise."""
        self.tries += 1
        if error := self.refuses(work):
            raise error
        self.applied.append(work)
        return Applied([], len(work.changes), [])

    async def bury(self, letter: DeadLetter) -> None:
        """Send to the topic of dead letters."""
        self.buried.append(letter.message.offset)

    @property
    def letters(self) -> list[tuple[int, str]]:
        """Return the rows of ops.dead_letter."""
        return [(letter.message.offset, letter.reason) for applied in self.applied for letter in applied.dead]


class Lent(Delivery):
    """A delivery to that sink."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(cast(Any, None), warehouse.bury, 14)
        self.warehouse = warehouse

    async def _sink(self) -> Sink:
        return cast(Sink, self.warehouse)


def refusing(error: psycopg.Error, *keys: int) -> Callable[[Batch], psycopg.Error | None]:
    return lambda work: error if any(item.key in keys for item in work.changes) else None


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the pauses between retries, without waiting."""
    waited: list[float] = []

    async def sleep(pause: float) -> None:
        waited.append(pause)
        assert len(waited) < 50, "the batch is retried for ever"

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waited


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.NumericValueOutOfRange("1e9 of Jane"),
        psycopg.errors.NotNullViolation("Jane"),
        psycopg.errors.ProgramLimitExceeded("an index row of Jane is too long"),
        psycopg.errors.StatementTooComplex("Jane"),
    ],
)
def test_the_row_that_is_refused_is_a_dead_letter(error: psycopg.Error, pauses: list[float]) -> None:
    warehouse = Warehouse(refusing(error, 3, 6))
    delivered = asyncio.run(Lent(warehouse).deliver(batch(*range(8), dead=9)))
    assert sorted(item.key for part in warehouse.applied for item in part.changes) == [0, 1, 2, 4, 5, 7]
    reason = f"refused by the warehouse: {type(error).__name__} {error.sqlstate}"
    assert sorted(warehouse.letters) == [(3, reason), (6, reason), (9, "why")]
    assert set(warehouse.buried) == {3, 6, 9}
    # the offsets are committed last, with the rest of the batch
    assert [part.offsets for part in warehouse.applied if part.offsets] == [OFFSETS]
    assert warehouse.applied[-1].offsets == OFFSETS
    assert (delivered.quarantined, pauses) == (6, [])


@pytest.mark.parametrize(
    "error", [psycopg.OperationalError("gone"), psycopg.errors.DeadlockDetected(), psycopg.errors.DiskFull()]
)
def test_an_outage_is_waited_out(error: psycopg.Error, pauses: list[float]) -> None:
    waited: list[bool] = []

    def refuse(_: Batch) -> psycopg.Error | None:
        waited.append(lent.is_waiting)
        return error if len(waited) < 12 else None

    warehouse = Warehouse(refuse)
    lent = Lent(warehouse)
    asyncio.run(lent.deliver(batch(1, 2)))
    assert [len(part.changes) for part in warehouse.applied] == [2]
    assert warehouse.letters == []
    assert waited == [False, *[True] * 11]
    assert not lent.is_waiting
    assert len(pauses) == 11
    assert all(low <= pause <= 2 * low for low, pause in zip((0.025, 0.05, 0.1), pauses, strict=False))
    assert max(pauses) <= 10


def test_what_is_no_row_s_fault_is_raised() -> None:
    for error, refused in (
        (psycopg.errors.UndefinedColumn(), batch(1, 2)),
        (psycopg.errors.NumericValueOutOfRange(), batch()),
    ):
        warehouse = Warehouse(lambda _, error=error: error)  # type: ignore[misc]
        with pytest.raises(type(error)):
            asyncio.run(Lent(warehouse).deliver(refused))
        assert warehouse.tries == 1

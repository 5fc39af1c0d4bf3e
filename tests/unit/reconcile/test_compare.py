"""Which differences count."""

from datetime import UTC, datetime, timedelta

import pytest

from promptsales.reconcile.compare import ComparedRow, Judgement, classify, pair_rows

MARK = datetime(2026, 11, 23, 12, tzinfo=UTC)
BEFORE, EARLIER = MARK - timedelta(microseconds=1), MARK - timedelta(hours=1)


@pytest.mark.parametrize(
    ("source", "warehouse", "judgement"),
    [
        (ComparedRow("k", 1, MARK), ComparedRow("k", 1, MARK), "equal"),
        (None, ComparedRow("k", 1, MARK), "gone"),
        (ComparedRow("k", 1, MARK), None, "pending"),  # the next load reads from the mark on
        (ComparedRow("k", 2, MARK), ComparedRow("k", 1, EARLIER), "pending"),
        (ComparedRow("k", 1, BEFORE), None, "missing"),
        (ComparedRow("k", 1, None), None, "missing"),
        (ComparedRow("k", 2, BEFORE), ComparedRow("k", 1, EARLIER), "differing"),
        (ComparedRow("k", 2, EARLIER), ComparedRow("k", 1, EARLIER), "silent"),  # changed, but its cursor did not move
        (ComparedRow("k", 2, EARLIER), ComparedRow("k", 1, BEFORE), "silent"),  # put back to an older version
        (ComparedRow("k", 2, None), ComparedRow("k", 1, BEFORE), "silent"),
        (ComparedRow("k", 2, BEFORE), ComparedRow("k", 1, None), "differing"),
    ],
)
def test_judge(source: ComparedRow | None, warehouse: ComparedRow | None, judgement: Judgement) -> None:
    assert classify(source, warehouse, MARK) == judgement


def test_pairs() -> None:
    a, b, c, d = (ComparedRow(key, 1, MARK) for key in "abcd")
    paired = list(pair_rows(iter([a, b, d]), iter([b, c, d])))
    assert paired == [(a, None), (b, b), (None, c), (d, d)]

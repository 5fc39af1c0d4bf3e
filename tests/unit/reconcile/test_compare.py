"""Which differences count."""

from datetime import UTC, datetime, timedelta

import pytest

from promptsales.reconcile.compare import Judgement, Row, judge, pairs

MARK = datetime(2026, 11, 23, 12, tzinfo=UTC)
BEFORE, EARLIER = MARK - timedelta(microseconds=1), MARK - timedelta(hours=1)


@pytest.mark.parametrize(
    ("source", "warehouse", "judgement"),
    [
        (Row("k", 1, MARK), Row("k", 1, MARK), "equal"),
        (None, Row("k", 1, MARK), "gone"),
        (Row("k", 1, MARK), None, "pending"),  # the next load reads from the mark on
        (Row("k", 2, MARK), Row("k", 1, EARLIER), "pending"),
        (Row("k", 1, BEFORE), None, "missing"),
        (Row("k", 1, None), None, "missing"),
        (Row("k", 2, BEFORE), Row("k", 1, EARLIER), "differing"),
        (Row("k", 2, EARLIER), Row("k", 1, EARLIER), "silent"),  # changed, but its cursor did not move
        (Row("k", 2, EARLIER), Row("k", 1, BEFORE), "silent"),  # put back to an older version
        (Row("k", 2, None), Row("k", 1, BEFORE), "silent"),
        (Row("k", 2, BEFORE), Row("k", 1, None), "differing"),
    ],
)
def test_judge(source: Row | None, warehouse: Row | None, judgement: Judgement) -> None:
    assert judge(source, warehouse, MARK) == judgement


def test_pairs() -> None:
    a, b, c, d = (Row(key, 1, MARK) for key in "abcd")
    paired = list(pairs(iter([a, b, d]), iter([b, c, d])))
    assert paired == [(a, None), (b, b), (None, c), (d, d)]

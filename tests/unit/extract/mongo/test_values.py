"""Values of documents as columns: which values fit, and which are misfits."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from promptsales.extract.mongo.values import Misfit, make_converter

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOMEBODY = UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "as it is ", "as it is "),
        ("text", ObjectId("6b990802498ab72fe8f9e9fb"), "6b990802498ab72fe8f9e9fb"),
        ("text", SOMEBODY, "12345678-1234-5678-1234-567812345678"),
        ("text[]", ["b", "a"], ["b", "a"]),
        ("uuid", "12345678-1234-5678-1234-567812345678", SOMEBODY),
        ("uuid", SOMEBODY, SOMEBODY),
        ("boolean", True, True),
        ("integer", 7, 7),
        ("integer", 7.0, 7),
        ("bigint", Int64(1 << 40), 1 << 40),
        ("numeric(18,8)", 0.1, Decimal("0.10000000")),
        ("numeric(18,8)", 1.429999948, Decimal("1.42999995")),
        ("numeric(18,8)", -0.000000005, Decimal("-0.00000001")),
        ("numeric(18,8)", Decimal128("12.345678901"), Decimal("12.34567890")),
        ("numeric(24,12)", 2.5e-10, Decimal("0.000000000250")),
        ("numeric(24,12)", Decimal128("2.5E-10"), Decimal("0.000000000250")),
        ("numeric(18,8)", 3, Decimal("3.00000000")),
        ("timestamp with time zone", NOON, NOON),
        ("timestamp with time zone", "2026-11-23T12:00:00Z", NOON),
        ("timestamp with time zone", "2026-11-23T14:00:00.000+02:00", NOON),
        ("timestamp with time zone", "2026-11-23 12:00", NOON),
    ],
)
def test_fits(kind: str, value: Any, expected: Any) -> None:
    converted = make_converter(kind)(value)
    assert (type(converted), converted) == (type(expected), expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 5),
        ("text", "with\0nul"),
        ("text[]", "a"),
        ("text[]", ["a", 5]),
        ("uuid", "nobody"),
        ("boolean", 1),
        ("integer", "7"),
        ("integer", 7.5),
        ("integer", True),
        ("integer", 1 << 31),
        ("bigint", 1 << 63),
        ("numeric(18,8)", "0.1"),
        ("numeric(18,8)", float("nan")),
        ("numeric(18,8)", Decimal128("Infinity")),
        ("numeric(18,8)", 1e10),
        ("numeric(18,8)", True),
        ("timestamp with time zone", "yesterday"),
        ("timestamp with time zone", 1_763_900_000),
        ("timestamp with time zone", DatetimeMS(1 << 60)),
        ("timestamp with time zone", "0001-01-01T00:00:00+10:00"),
    ],
)
def test_misfit(kind: str, value: Any) -> None:
    with pytest.raises(Misfit) as caught:
        make_converter(kind)(value)
    assert str(caught.value) == ""


def test_a_type_no_document_can_give() -> None:
    with pytest.raises(ValueError, match="no value of a document becomes a interval"):
        make_converter("interval")

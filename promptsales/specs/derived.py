"""The rules that every contract implies: dates within the range of business dates, and numbers that are numbers."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from promptsales.settings import settings
from promptsales.specs.feed import Column

# a numeric's digits, and how many of them follow the point
_NUMERIC = re.compile(r"numeric(?:\((\d+)(?:,(\d+))?\))?|real|double precision")
# without a size a numeric holds more than any amount of business needs
_MOST_DIGITS = 24
DATES = "{}_outside_business_dates"


def is_date(kind: str) -> bool:
    """Return whether a type holds dates or instants."""
    return kind == "date" or kind.startswith("timestamp")


def expectations_of(columns: Iterable[Column]) -> list[dict[str, Any]]:
    """Return the expectations that the types of columns imply, as ``expectations.yml`` would write them."""
    # when a document was deleted its change stream says, not its source
    columns = [column for column in columns if column.transform != "deleted_at"]
    dates = [_dates(column.name) for column in columns if is_date(column.type)]
    return dates + [_number(column.name, most) for column in columns if (most := _most(column.type))]


def is_date_rule(rule: str, kwargs: dict[str, Any]) -> bool:
    """Return whether a rule is the derived one on the dates of its column."""
    return rule == DATES.format(kwargs.get("column"))


def parameters() -> dict[str, date]:
    """Return the range of business dates by the names that derived rules use; the end is the first day after it."""
    known = settings()
    return {
        "business_dates_from": known.business_dates_from,
        "business_dates_end": known.business_dates_to + timedelta(days=1),
    }


def _dates(name: str) -> dict[str, Any]:
    bounds = {"min_value": {"$PARAMETER": "business_dates_from"}, "max_value": {"$PARAMETER": "business_dates_end"}}
    known = settings()
    return _between(
        DATES.format(name),
        f"{name} is from {known.business_dates_from} to {known.business_dates_to} (settings business_dates_from, _to).",
        {"column": name, **bounds, "strict_max": True},
    )


def _number(name: str, most: int) -> dict[str, Any]:
    # PostgreSQL holds NaN for greater than every number
    kwargs = {"column": name, "min_value": -most, "max_value": most}
    return _between(f"{name}_not_a_number", f"{name} is a number: neither NaN nor infinite.", kwargs)


def _between(rule: str, description: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    meta = {"rule": rule, "on_fail": "quarantine", "is_derived": True}
    return {
        "type": "expect_column_values_to_be_between",
        "kwargs": kwargs,
        "meta": meta,
        "description": description,
    }


def _most(kind: str) -> int | None:
    match = _NUMERIC.fullmatch(kind)
    if not match:
        return None
    precision, scale = match.groups()
    return int(10 ** (int(precision) - int(scale or 0) if precision else _MOST_DIGITS))

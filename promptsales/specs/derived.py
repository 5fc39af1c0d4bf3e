"""Derive the rules that every contract implies: dates in the range of business dates, and finite numbers."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from promptsales.settings import settings
from promptsales.specs.feed import Column

# precision and scale of a numeric
_NUMERIC = re.compile(r"numeric(?:\((\d+)(?:,(\d+))?\))?|real|double precision")
# the limit of a numeric without precision, far above any business amount
_MOST_DIGITS = 24
DATES = "{}_outside_business_dates"


def is_date(kind: str) -> bool:
    """Return whether a type holds dates or instants."""
    return kind == "date" or kind.startswith("timestamp")


def derive_expectations(columns: Iterable[Column]) -> list[dict[str, Any]]:
    """Return the expectations that the types of columns imply, in the form of ``expectations.yml``."""
    # deleted_at comes from the change stream, not from a person
    columns = [column for column in columns if column.transform != "deleted_at"]
    dates = [_dates(column.name) for column in columns if is_date(column.type)]
    return dates + [_number(column.name, most) for column in columns if (most := _most(column.type))]


def is_date_rule(rule: str, kwargs: dict[str, Any]) -> bool:
    """Return whether a rule is the derived rule on the dates of its column."""
    return rule == DATES.format(kwargs.get("column"))


def read_parameters() -> dict[str, date]:
    """Return the range of business dates under the names that derived rules use; the end is exclusive."""
    configured = settings()
    return {
        "business_dates_from": configured.business_dates_from,
        "business_dates_end": configured.business_dates_to + timedelta(days=1),
    }


def _dates(name: str) -> dict[str, Any]:
    bounds = {"min_value": {"$PARAMETER": "business_dates_from"}, "max_value": {"$PARAMETER": "business_dates_end"}}
    first, last = settings().business_dates_from, settings().business_dates_to
    return _between(
        DATES.format(name),
        f"{name} is from {first} to {last} (settings business_dates_from, _to).",
        {"column": name, **bounds, "strict_max": True},
    )


def _number(name: str, most: int) -> dict[str, Any]:
    # PostgreSQL sorts NaN above every number
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

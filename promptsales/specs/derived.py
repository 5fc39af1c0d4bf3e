"""Derive the rules that a contract or a mart implies, so that ``expectations.yml`` holds rules of the domain only.

From ``required``: not null. From ``key`` and ``grain``: unique. From types: dates in the range of business dates, and
finite numbers.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from promptsales.settings import settings
from promptsales.specs.column import Column
from promptsales.specs.feed import Contract
from promptsales.specs.mart import Mart
from promptsales.specs.stream import StreamContract

# precision and scale of a numeric
_NUMERIC = re.compile(r"numeric(?:\((\d+)(?:,(\d+))?\))?|real|double precision")
# the limit of a numeric without precision, far above any business amount
_MOST_DIGITS = 24
DATES = "{}_outside_business_dates"


def is_date(kind: str) -> bool:
    """Return whether a type holds dates or instants."""
    return kind == "date" or kind.startswith("timestamp")


def derive_from_nulls_and_keys(table: Contract | StreamContract | Mart) -> list[dict[str, Any]]:
    """Return the expectations that required columns and the key imply, in the form of ``expectations.yml``."""
    if isinstance(table, Mart):
        rules = [
            _not_null(column.name, f"{column.name}_missing", "block") for column in table.columns if column.required
        ]
        return [*rules, _unique("grain_twice", table.grain)]
    required = [column for column in table.columns if column.required or column.name == table.key]
    rules = [_not_null(column.name, column.missing_rule, _on_null(column)) for column in required]
    return [*rules, _unique(f"{table.key}_twice", (table.key,))]


def _on_null(column: Column) -> str:
    # the pipeline makes the number of the key, so a row without it is a bug of the pipeline, not of the source
    return "block" if column.transform == "pii_kid" else "quarantine"


def _not_null(name: str, rule: str, on_fail: str) -> dict[str, Any]:
    kind = "expect_column_values_to_not_be_null"
    return _expectation(kind, {"column": name}, rule, on_fail, f"{name} is not null.")


def _unique(rule: str, names: tuple[str, ...]) -> dict[str, Any]:
    text = f"There is one row per {', '.join(names)}."
    if len(names) == 1:
        return _expectation("expect_column_values_to_be_unique", {"column": names[0]}, rule, "block", text)
    return _expectation("expect_compound_columns_to_be_unique", {"column_list": list(names)}, rule, "block", text)


def derive_from_types(columns: Iterable[Column]) -> list[dict[str, Any]]:
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
    return _expectation("expect_column_values_to_be_between", kwargs, rule, "quarantine", description)


def _expectation(kind: str, kwargs: dict[str, Any], rule: str, on_fail: str, description: str) -> dict[str, Any]:
    meta = {"rule": rule, "on_fail": on_fail}
    return {"type": kind, "kwargs": kwargs, "meta": meta, "description": description}


def _most(kind: str) -> int | None:
    match = _NUMERIC.fullmatch(kind)
    if not match:
        return None
    precision, scale = match.groups()
    return int(10 ** (int(precision) - int(scale or 0) if precision else _MOST_DIGITS))

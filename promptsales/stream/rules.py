"""Compile the row rules of ``expectations.yml`` into functions that judge a single row.

The audit applies the same file to whole tables.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from promptsales.specs import derived
from promptsales.specs.suite import Expectation, Suite

# returns True if the row passes; the time is the horizon: the row's commit plus the tolerance
Rule = Callable[[Any, datetime], bool]


class Rules(NamedTuple):
    """The compiled rules of one table by name, and the rules that no single row can be judged by."""

    compiled: Mapping[str, Rule]
    left_to_the_audit: tuple[str, ...]

    def broken_by(self, row: Any, horizon: datetime) -> list[str]:
        """Return the names of the rules that a row breaks."""
        return [name for name, keeps in self.compiled.items() if not keeps(row, horizon)]


def compile_rules(suite: Suite) -> Rules:
    """Compile the rules that quarantine a row; return the names of the others, which the worker logs at its start."""
    compiled, left = {}, []
    for expectation in suite.expectations:
        if expectation.meta.on_fail == "quarantine":
            if rule := _rule(expectation):
                compiled[expectation.meta.rule] = rule
            else:
                left.append(expectation.meta.rule)
    return Rules(compiled, tuple(left))


def _rule(expectation: Expectation) -> Rule | None:
    kwargs = dict(expectation.kwargs)
    if derived.is_date_rule(expectation.meta.rule, kwargs):
        return _business_date(kwargs["column"])
    applies = _condition(kwargs.pop("row_condition", None))
    make = _MAKERS.get(expectation.type)
    if make is None or applies is None or set(kwargs) - make[1]:
        return None
    keeps = make[0](kwargs)
    if applies is _ALWAYS:
        return keeps
    return lambda row, horizon: not applies(row) or keeps(row, horizon)


def _ALWAYS(_: Any) -> bool:
    return True


def _condition(condition: Any) -> Callable[[Any], bool] | None:
    """Return a predicate for the comparison of a column with a constant; None for an unknown condition."""
    if condition is None:
        return _ALWAYS
    if set(condition) != {"type", "column", "operator", "parameter"} or condition["operator"] not in ("==", "!="):
        return None
    name, constant, same = condition["column"]["name"], condition["parameter"], condition["operator"] == "=="
    # as in SQL, a comparison with null is true for neither operator
    return lambda row: (value := getattr(row, name)) is not None and (value == constant) is same


def _not_null(kwargs: dict[str, Any]) -> Rule:
    name = kwargs["column"]
    return lambda row, _: getattr(row, name) is not None


def _null(kwargs: dict[str, Any]) -> Rule:
    name = kwargs["column"]
    return lambda row, _: getattr(row, name) is None


def _in_set(kwargs: dict[str, Any]) -> Rule:
    name, allowed = kwargs["column"], frozenset(kwargs["value_set"])
    return lambda row, _: (value := getattr(row, name)) is None or value in allowed


def _between(kwargs: dict[str, Any]) -> Rule:
    name, low, high = kwargs["column"], kwargs.get("min_value"), kwargs.get("max_value")
    to_horizon = isinstance(high, Mapping)

    def keeps(row: Any, horizon: datetime) -> bool:
        value, most = getattr(row, name), horizon if to_horizon else high
        return value is None or ((low is None or value >= low) and (most is None or value <= most))

    return keeps


def _business_date(name: str) -> Rule:
    first, end = derived.read_parameters().values()

    def keeps(row: Any, _: datetime) -> bool:
        value = getattr(row, name)
        return value is None or first <= (value.date() if isinstance(value, datetime) else value) < end

    return keeps


def _matches(kwargs: dict[str, Any]) -> Rule:
    name, pattern = kwargs["column"], re.compile(kwargs["regex"])
    return lambda row, _: (value := getattr(row, name)) is None or pattern.search(value) is not None


def _pair(kwargs: dict[str, Any]) -> Rule:
    first, second, or_equal = kwargs["column_A"], kwargs["column_B"], kwargs.get("or_equal", False)

    def keeps(row: Any, _: datetime) -> bool:
        a, b = getattr(row, first), getattr(row, second)
        return a is None or b is None or a > b or (or_equal and a == b)

    return keeps


# expectation -> (function that compiles the rule, arguments it understands)
_MAKERS: dict[str, tuple[Callable[[dict[str, Any]], Rule], set[str]]] = {
    "expect_column_values_to_not_be_null": (_not_null, {"column"}),
    "expect_column_values_to_be_null": (_null, {"column"}),
    "expect_column_values_to_be_in_set": (_in_set, {"column", "value_set"}),
    "expect_column_values_to_be_between": (_between, {"column", "min_value", "max_value"}),
    "expect_column_values_to_match_regex": (_matches, {"column", "regex"}),
    "expect_column_pair_values_a_to_be_greater_than_b": (_pair, {"column_A", "column_B", "or_equal", "ignore_row_if"}),
}

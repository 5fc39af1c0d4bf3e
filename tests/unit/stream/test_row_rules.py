"""Row rules compiled from expectations of Great Expectations; a rule that cannot be compiled is named."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from promptsales.specs.suite import Expectation, Meta, Suite
from promptsales.stream.rules import compile_rules

HORIZON = datetime(2026, 1, 1, tzinfo=UTC)


def suite(kind: str, on_fail: Any = "quarantine", **kwargs: Any) -> Suite:
    expectation = Expectation(
        type=f"expect_column_{kind}", kwargs=kwargs, meta=Meta(rule="it", on_fail=on_fail), description="d"
    )
    return Suite(name="s", checksum="c", expectations=(expectation,))


def when(operator: str, parameter: Any) -> dict[str, Any]:
    return {"type": "comparison", "column": {"name": "b"}, "operator": operator, "parameter": parameter}


@pytest.mark.parametrize(
    ("kind", "kwargs", "kept", "broken"),
    [
        ("values_to_not_be_null", {"column": "a"}, [(1, None)], [(None, 1)]),
        ("values_to_be_null", {"column": "a"}, [(None, 1)], [(1, None)]),
        ("values_to_be_in_set", {"column": "a", "value_set": ["x"]}, [("x", 0), (None, 0)], [("X", 0)]),
        ("values_to_be_between", {"column": "a", "min_value": 0, "max_value": 2},
         [(0, 0), (2, 0), (None, 0)], [(-1, 0), (3, 0)]),
        ("values_to_be_between", {"column": "a", "max_value": {"$PARAMETER": "horizon"}},
         [(HORIZON, 0)], [(datetime(2026, 1, 2, tzinfo=UTC), 0)]),
        ("values_to_match_regex", {"column": "a", "regex": "^[A-Z]{2}$"},
         [("DE", 0), (None, 0)], [("de", 0), ("DEU", 0)]),
        ("pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b", "or_equal": True},
         [(2, 1), (1, 1), (None, 1), (1, None)], [(1, 2)]),
        ("pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b"}, [(2, 1)], [(1, 1)]),
        ("values_to_not_be_null", {"column": "a", "row_condition": when("==", "x")},
         [(None, "y"), (1, "x")], [(None, "x")]),
        ("values_to_be_null", {"column": "a", "row_condition": when("!=", "x")}, [(1, "x"), (1, None)], [(1, "y")]),
    ],
)  # fmt: skip
def test_compiled(kind: str, kwargs: dict[str, Any], kept: list[Any], broken: list[Any]) -> None:
    rules = compile_rules(suite(kind, **kwargs))
    broken_rules = [rules.broken_by(SimpleNamespace(a=a, b=b), HORIZON) for a, b in (*kept, *broken)]
    assert broken_rules == [[]] * len(kept) + [["it"]] * len(broken)


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("values_to_be_unique", {"column": "a"}),
        ("values_to_be_between", {"column": "a", "max_value": 1, "strict_max": True}),
        ("values_to_be_null", {"column": "a", "mostly": 0.9}),
        ("values_to_be_null", {"column": "a", "row_condition": when(">", 1)}),
    ],
)
def test_what_cannot_be_compiled_is_named(kind: str, kwargs: dict[str, Any]) -> None:
    rules = compile_rules(suite(kind, **kwargs))
    assert (dict(rules.compiled), rules.left_to_the_audit) == ({}, ("it",))


def test_only_row_rules_are_compiled() -> None:
    rules = compile_rules(suite("values_to_not_be_null", on_fail="warn", column="a"))
    assert (dict(rules.compiled), rules.left_to_the_audit) == ({}, ())

"""Let Great Expectations count all row rules of a table in one query.

It counts the rules on single columns in one query, but reads the table twice for each rule on a pair of columns or with
a row condition. As a column of the batch that is true where a row keeps the rule, and null where the rule does not
apply, such a rule is counted with the others.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from promptsales.specs.suite import Expectation

_OPERATORS = {"==": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_PAIR = "expect_column_pair_values_a_to_be_greater_than_b"
_NULLS = {
    "expect_column_values_to_not_be_null": sql.SQL("is not null"),
    "expect_column_values_to_be_null": sql.SQL("is null"),
}


class BatchPlan(NamedTuple):
    """The rows to check, and the expectations in the form that Great Expectations runs, by rule.

    ``query`` is None where the table needs no further column. ``conditional`` are the rules that apply to some rows
    only: the others are null in their column.
    """

    query: str | None
    expectations: dict[str, dict[str, Any]]
    conditional: frozenset[str]


def plan_batch(expectations: Iterable[Expectation], connection: psycopg.Connection, rows: sql.Composable) -> BatchPlan:
    """Add a column for each rule that would need a pass of its own.

    If PostgreSQL refuses a column, none is added, so that only the rule that is wrong fails, by its name.

    Args:
        expectations: rules that are no SQL.
        connection: a connection to the table's database, in autocommit.
        rows: the table, or a query in parentheses.
    """
    models = {rule.meta.rule: rule.model_dump(mode="json") for rule in expectations}
    kept = {rule: column for rule, model in models.items() if (column := _compose(model["type"], model["kwargs"]))}
    names = {rule: f"_keeps_{rule}" for rule in kept}
    query = sql.SQL("select t.*{} from {} t").format(
        sql.SQL("").join(sql.SQL(", {} as {}").format(kept[rule], sql.Identifier(names[rule])) for rule in kept), rows
    )
    if not kept or not _is_accepted(connection, query):
        return BatchPlan(None, models, frozenset())
    conditional = frozenset(rule for rule in kept if "row_condition" in models[rule]["kwargs"])
    as_column = {rule: _is_true(models[rule], name) for rule, name in names.items()}
    return BatchPlan(query.as_string(connection), models | as_column, conditional)


def _is_accepted(connection: psycopg.Connection, query: sql.Composable) -> bool:
    try:
        connection.execute(query + sql.SQL(" limit 0"))
    except psycopg.ProgrammingError:
        return False
    return True


def _is_true(model: dict[str, Any], name: str) -> dict[str, Any]:
    return model | {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": name, "value_set": [True]}}


def _compose(kind: str, kwargs: Mapping[str, Any]) -> sql.Composable | None:
    """Compose the column of a rule; None for a rule that Great Expectations must run itself."""
    if kind == _PAIR and set(kwargs) <= {"column_A", "column_B", "or_equal", "ignore_row_if"}:
        if kwargs.get("ignore_row_if") != "either_value_is_missing":
            return None
        compared = sql.SQL(">=" if kwargs.get("or_equal") else ">")
        return sql.SQL(" ").join((sql.Identifier(kwargs["column_A"]), compared, sql.Identifier(kwargs["column_B"])))
    if kind in _NULLS and set(kwargs) == {"column", "row_condition"}:
        if (condition := _condition(kwargs["row_condition"])) is None:
            return None
        return sql.SQL("case when {} then {} {} end").format(condition, sql.Identifier(kwargs["column"]), _NULLS[kind])
    return None


def _condition(condition: Mapping[str, Any]) -> sql.Composable | None:
    match condition:
        case {"type": "comparison", "column": {"name": name}, "operator": operator, "parameter": parameter}:
            if operator not in _OPERATORS or not isinstance(parameter, str | int | float):
                return None
            compared = sql.SQL(_OPERATORS[operator])
            return sql.SQL(" ").join((sql.Identifier(name), compared, sql.Literal(parameter)))
        case {"type": "nullity", "column": {"name": name}, "is_null": bool(is_null)}:
            return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL("is null" if is_null else "is not null"))
        case {"type": "and", "conditions": [*conditions]}:
            composed = [part for inner in conditions if (part := _condition(inner)) is not None]
            if len(composed) == len(conditions):
                return sql.SQL("({})").format(sql.SQL(" and ").join(composed))
    return None

"""Names of sources in the warehouse's form, and their quoting in SQL."""

import pytest
from psycopg import sql

from promptsales import names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("updated_at", "updated_at"),
        ("order", "order"),
        ("Order Lines", "order_lines"),
        ("orderLines", "order_lines"),
        ("HTTPStatus", "http_status"),
        ("userID", "user_id"),
        ("margin %", "margin"),
        ("2nd call", "_2nd_call"),
        ("Größe", "groe"),
        ("名前", "unnamed"),
        ("_row", "row"),
        ("_source", "_source"),
    ],
)
def test_what_the_warehouse_calls_it(name: str, expected: str) -> None:
    assert names.to_plain(name) == expected


def test_a_name_is_cut() -> None:
    assert names.to_plain("a" * 63, 48) == "a" * 48


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("order",), '"order"'),
        (("crm", 'a "b"'), '"crm"."a ""b"""'),
        (("margin %",), r'U&"margin \0025"'),
        (("t", '\\ % "',), r'"t".U&"\\ \0025 """'),
    ],
)  # fmt: skip
def test_in_quotes(parts: tuple[str, ...], expected: str) -> None:
    assert names.identifier(*parts).as_string() == expected


def test_as_a_string() -> None:
    assert names.literal("it's").as_string() == sql.Literal("it's").as_string()
    assert names.literal("it's \\ 5%").as_string() == r"U&'it''s \\ 5\0025'"


def test_a_relation() -> None:
    assert names.relation("crm.Order.Lines").as_string() == '"crm"."Order.Lines"'
    assert names.regclass_of("crm.Order Lines") == '"crm"."Order Lines"'
    assert names.topic_part("crm.Order Lines/€") == "crm.Order_Lines__"


def test_a_list_breaks_into_lines_that_can_be_read() -> None:
    columns = [sql.Identifier(letter * 30) for letter in "abcde"]
    assert names.in_lines(columns).as_string() == (
        f'"{"a" * 30}", "{"b" * 30}", "{"c" * 30}",\n                "{"d" * 30}", "{"e" * 30}"'
    )
    assert names.in_lines(columns[:2], " or").as_string() == f'"{"a" * 30}" or "{"b" * 30}"'
    assert names.in_lines([]).as_string() == ""

"""Redaction by PostgreSQL equals redaction in Python, of any text, and leaves nothing to redact."""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from promptsales.hashing.redaction import REDACTIONS, compose_json_redaction, compose_redaction, redact, redact_json
from promptsales.specs.column import Column, Transform
from tests.integration.provision.conftest import Connect

SIGNS = "az@@..++00(2-) /\t\n%40%2B,:;?#5\u00e9\u00a0\u0660"
PIECES = st.sampled_from(
    ["a@b.c", "+49 30 123456", "030 1234567", "555-213-4567", "%40", "06 12 34 56 78", "x", " ", "-"]
)
TEXTS = st.text(SIGNS, max_size=40) | st.lists(PIECES | st.text(SIGNS, max_size=3), max_size=6).map("".join)


@pytest.fixture(scope="module")
def server(crm_copy: Connect) -> Iterator[psycopg.Connection]:
    with crm_copy("promptcrm_owner") as connection:
        yield connection


def column(transform: Transform, kind: str = "text") -> Column:
    return Column(name="x", type=kind, transform=transform, pii="free_text", description="-")


def ask(server: psycopg.Connection, expression: sql.Composable, value: object) -> object:
    row = server.execute(sql.SQL("select {} from (select %s as x) t").format(expression), [value]).fetchone()
    assert row
    return row[0]


@settings(max_examples=400, deadline=None)
@given(text=TEXTS)
@pytest.mark.parametrize("transform", ["redacted", "redacted_url"])
def test_both_give_the_same_and_nothing_is_left(server: psycopg.Connection, transform: Transform, text: str) -> None:
    result = REDACTIONS[transform](text)
    assert ask(server, compose_redaction(column(transform), sql.SQL("x::text")), text) == result
    assert redact(result) == result
    assert len(result) <= len(text)


def test_a_list_keeps_its_order_its_nulls_and_its_emptiness(server: psycopg.Connection) -> None:
    expression = compose_redaction(column("redacted", "text[]"), sql.SQL("x::text[]"))
    assert ask(server, expression, ["b", None, "to a@b.c", "a"]) == ["b", None, "to ***", "a"]
    assert ask(server, expression, []) == []
    assert ask(server, expression, None) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('["DE", "FR"]', '["DE", "FR"]'),
        ('["to a@b.c", "FR"]', '"***"'),
        ('"say \\"a@b.c\\" now"', '"***"'),
        ('{"a": {"b": "+49 30 123456"}}', '"***"'),
        ("18", "18"),
    ],
)
def test_a_json_value_is_masked_as_a_whole(server: psycopg.Connection, value: str, expected: str) -> None:
    assert redact_json(value) == expected
    expression = sql.SQL("({})::text").format(compose_json_redaction(sql.SQL("x::jsonb")))
    assert ask(server, expression, value) == expected

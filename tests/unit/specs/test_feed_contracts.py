"""Contracts report their faults, and every contract of the project is complete."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from promptsales.errors import ConfigError
from promptsales.specs import feed
from promptsales.specs.suite import read_suite

GOOD: dict[str, Any] = {
    "table": "things",
    "description": "Things.",
    "source": {"system": "promptcrm", "relation": "crm.things"},
    "path": "poll",
    "cursor": "updated_at",
    "look_back_seconds": 60,
    "key": "thing_id",
    "hash_at": "source",
    "columns": [
        {"name": "thing_id", "source": "id", "type": "uuid", "pii": "none", "description": "Id."},
        {"name": "updated_at", "type": "timestamp with time zone", "pii": "none", "description": "Changed."},
    ],
}

CONTENT = {"system": "promptcontent", "relation": "promptcontent.things"}
IN_MONGO: dict[str, Any] = {"path": "change_stream", "source": CONTENT, "hash_at": "extract"}


def read(tmp_path: Path, **changes: Any) -> feed.Contract:
    path = tmp_path / "contract.yml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    return feed.read(path)


def column(**changes: Any) -> list[dict[str, Any]]:
    extra = {"name": "extra", "type": "text", "pii": "none", "description": "Extra.", **changes}
    return [*GOOD["columns"], extra]


def document(**changes: Any) -> list[dict[str, Any]]:
    deleted = {"name": "deleted_at", "type": "timestamp with time zone", "transform": "deleted_at", "pii": "none"}
    return [*column(**changes), {**deleted, "description": "Deleted."}]


NAMES = ["order", "Group", "user", "class", "Größe %", 'a "quoted" one', "a,b", "a.b", "it's", "is_deleted"]


@pytest.mark.parametrize("name", NAMES)
def test_a_source_calls_its_columns_and_tables_as_it_likes(tmp_path: Path, name: str) -> None:
    contract = read(tmp_path, source={**GOOD["source"], "relation": f"Sales.{name}"}, columns=column(source=name))
    assert contract.origins == ("id", "updated_at", name)
    assert contract.source.relation == f"Sales.{name}"


def test_core_has_reserved_words_and_capitals(tmp_path: Path) -> None:
    contract = read(tmp_path, table="Order", columns=[*column(name="Group"), *column(name="order")[2:]])
    assert (contract.staging, contract.column_names) == (
        "promptcrm__Order",
        ("thing_id", "updated_at", "Group", "order"),
    )


def test_a_document_has_capitals_and_signs(tmp_path: Path) -> None:
    contract = read(tmp_path, **IN_MONGO, columns=document(source="Cost.US$ net"))
    assert contract.origins == ("id", "updated_at", "Cost.US$ net")


def test_read(tmp_path: Path) -> None:
    contract = read(tmp_path)
    assert contract.column_names == ("thing_id", "updated_at")
    assert (contract.staging, contract.key_type, contract.is_hashed) == ("promptcrm__things", "uuid", False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "colour: unknown key; keys are table, description, source"),
        ({"columns": column(colour="red")}, "columns.2.colour: unknown key; keys are name, source, type"),
        ({"key": "id"}, "id is used but not a column; columns are thing_id, updated_at"),
        ({"history": ["status"]}, "status is used but not a column"),
        ({"touched": {"entity": "thing_id", "day": ["updated_at", "made_at"]}}, "made_at is used but not a column"),
        ({"columns": column(name="thing_id")}, "a column is named twice"),
        (
            {"columns": column(pii="direct")},
            "extra is direct, so transform as_is is not allowed; use email_hmac",
        ),
        (
            {"columns": column(pii="free_text")},
            "extra is free_text, so transform as_is is not allowed; use redacted, redacted_url, text_hmac, text_length",
        ),
        ({"columns": column(transform="deleted_at")}, "extra: extra (deleted_at) is for path change_stream only"),
        ({"path": "change_stream"}, "path change_stream does not fit system promptcrm"),
        ({"path": "change_stream", "source": CONTENT}, "a document database cannot hash: hash_at must be extract"),
        (
            {"path": "change_stream", "source": CONTENT, "hash_at": "extract"},
            "a change stream has deletes: add a column deleted_at with transform deleted_at",
        ),
        ({"columns": column(type="text; drop table x")}, "columns.2.type: String should match pattern"),
        ({"columns": column(name='e"x')}, "columns.2.name: 'e\"x' is not a name for the warehouse"),
        ({"columns": column(name="with space")}, "call it with_space, and put the source's name under source"),
        ({"columns": column(name="_row")}, "the pipeline itself uses the name _row; give the column another name"),
        ({"columns": column(name="valid_to"), "history": ["valid_to"]}, "the pipeline itself uses the name valid_to"),
        ({"columns": column(source="\0")}, r"'\x00' cannot be a name in a source"),
        ({"columns": column(source="ä" * 32)}, "cannot be a name in a source: expected 1 to 63 bytes"),
        ({"table": "t" * 49}, "is too long for a table of the warehouse; use at most 48 characters"),
        ({"source": {**GOOD["source"], "relation": "things"}}, "'things' is not a relation: write schema.table"),
        ({**IN_MONGO, "columns": document(source="cost.$usd")}, "extra: MongoDB cannot select a field 'cost.$usd'"),
        ({**IN_MONGO, "columns": document(source="cost..usd")}, "extra: MongoDB cannot select a field 'cost..usd'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, **changes)
    assert str(tmp_path / "contract.yml") in str(caught.value)
    assert message in str(caught.value)


def test_broken_yaml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "contract.yml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"contract .*contract\.yml: while parsing"):
        feed.read(tmp_path / "contract.yml")


def test_unknown_feed_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no feed is called 'lead'; feeds are .*leads"):
        feed.contract("lead")


def test_every_contract_has_ddl_and_checks() -> None:
    for name, contract in feed.contracts().items():
        assert (contract.folder / "table.sql").is_file(), f"{name} has no table.sql: add the DDL beside its contract"
        assert read_suite(contract).expectations, f"{name} has no checks: add expectations.yml beside its contract"


def test_every_required_column_has_a_not_null_check() -> None:
    for name, contract in feed.contracts().items():
        checked = {
            expectation.kwargs["column"]
            for expectation in read_suite(contract).expectations
            if expectation.type == "expect_column_values_to_not_be_null" and expectation.meta.on_fail != "warn"
        }
        required = {column.name for column in contract.columns if column.required}
        assert required <= checked, f"{name}: no not-null check for {', '.join(sorted(required - checked))}"

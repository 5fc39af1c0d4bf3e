"""A draft of a table whose comments hold control characters is YAML with the same content."""

from typing import Any

import yaml

from promptsales.authoring.draft import make_draft
from promptsales.authoring.relation import LiveTable, SourceColumn
from promptsales.printable import printable

COMMENT = "[/] Größe \x1b[2J\u202e: x"


def column(name: str, type_: str, **more: Any) -> SourceColumn:
    return SourceColumn(**{
        "name": name, "type": type_, "is_required": True, "comment": None, "is_key": False, "allowed": None,
        "is_indexed": True, **more,
    })  # fmt: skip


def test_a_comment_of_the_source() -> None:
    columns = (
        column("id", "uuid", is_key=True, comment=COMMENT),
        column("size", "integer", comment="Größe"),
        column("updated_at", "timestamp with time zone"),
    )
    text = make_draft(LiveTable("promptcrm", "crm.things", COMMENT, True, columns)).contract
    assert printable(text, keep="\n") == text
    assert "description: Größe}" in text
    read = yaml.safe_load(text)
    assert (read["description"], read["columns"][0]["description"]) == (COMMENT, COMMENT)


def test_the_drafted_rules_do_not_repeat_the_contract() -> None:
    columns = (
        column("id", "uuid", is_key=True),
        column("status", "character varying(20)", allowed=None),
        column("updated_at", "timestamp with time zone"),
    )
    drafted = make_draft(LiveTable("promptcrm", "crm.things", None, True, columns))
    rules = yaml.safe_load(drafted.expectations)["expectations"]
    assert [(rule["meta"], rule["kwargs"]) for rule in rules] == [
        (
            {"rule": "updated_at_in_the_future", "on_fail": "quarantine"},
            {"column": "updated_at", "max_value": {"$PARAMETER": "horizon"}},
        )
    ]

"""Changes of contracts and suites are stricter, looser or breaking."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from promptsales.authoring.change import find_changes

CONTRACT: dict[str, Any] = {
    "table": "visits",
    "source": {"system": "promptcrm", "relation": "crm.visits"},
    "path": "poll",
    "cursor": "updated_at",
    "key": "visit_id",
    "hash_at": "source",
    "history": ["status"],
    "look_back_seconds": 3600,
    "unread": ["note"],
    "after": ["users"],
    "touched": {"entity": "visit_id", "day": "updated_at"},
    "columns": [
        {"name": "visit_id", "source": "id", "type": "uuid", "required": True, "pii": "none"},
        {"name": "email_hmac", "source": "email", "type": "bytea", "transform": "email_hmac", "pii": "direct"},
        {"name": "status", "type": "text", "pii": "quasi"},
    ],
}
SUITE: dict[str, Any] = {
    "expectations": [
        {
            "type": "in_set",
            "kwargs": {"column": "a", "value_set": [1, 2]},
            "meta": {"rule": "r", "on_fail": "quarantine"},
        },
        {"type": "between", "kwargs": {"min_value": 1, "max_value": 9}, "meta": {"rule": "s", "on_fail": "warn"}},
    ]
}

Edit = Callable[[dict[str, Any], dict[str, Any]], Any]


def column(number: int, **values: Any) -> Edit:
    return lambda contract, suite: contract["columns"][number].update(values)


def rule(number: int, part: str, **values: Any) -> Edit:
    return lambda contract, suite: suite["expectations"][number][part].update(values)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda contract, suite: None, []),
        (lambda contract, suite: contract.update(key="id"), [("breaking", "key: visit_id is now id")]),
        (
            lambda contract, suite: contract["source"].update(relation="crm.calls"),
            [
                (
                    "breaking",
                    "source: {'system': 'promptcrm', 'relation': 'crm.visits'} is now "
                    "{'system': 'promptcrm', 'relation': 'crm.calls'}",
                )
            ],
        ),
        (lambda contract, suite: contract.update(hash_at="extract"), [("looser", "hash_at: source is now extract")]),
        (
            lambda contract, suite: contract.update(history=["visit_id"]),
            [
                ("breaking", "history of status is no longer kept"),
                ("note", "history of visit_id is kept from now on"),
            ],
        ),
        (
            lambda contract, suite: contract.update(look_back_seconds=60),
            [("looser", "look_back_seconds: 3600 is now 60")],
        ),
        (
            lambda contract, suite: contract.update(look_back_seconds=7200),
            [("stricter", "look_back_seconds: 3600 is now 7200")],
        ),
        (
            lambda contract, suite: contract.pop("look_back_seconds"),
            [("note", "look_back_seconds: 3600 is now None")],
        ),
        (
            lambda contract, suite: contract.update(unread=["note", "mood"], after=[]),
            [("note", "after: users removed"), ("note", "unread: mood added")],
        ),
        (lambda contract, suite: contract.pop("unread"), [("note", "unread: note removed")]),
        (
            lambda contract, suite: contract["touched"].update(day=["created_at"]),
            [
                (
                    "breaking",
                    "touched: {'entity': 'visit_id', 'day': 'updated_at'} is now "
                    "{'entity': 'visit_id', 'day': ['created_at']}",
                )
            ],
        ),
        (
            lambda contract, suite: contract.pop("touched"),
            [("breaking", "touched: {'entity': 'visit_id', 'day': 'updated_at'} is now None")],
        ),
        (lambda contract, suite: contract["columns"].pop(), [("breaking", "column status removed")]),
        (
            lambda contract, suite: contract["columns"].append({"name": "score", "type": "integer", "pii": "none"}),
            [("looser", "column score added: none, as_is")],
        ),
        (column(2, type="integer"), [("breaking", "column status: type: text is now integer")]),
        (
            column(1, transform="as_is", pii="none"),
            [
                ("breaking", "column email_hmac: transform: email_hmac is now as_is"),
                ("looser", "column email_hmac: pii: direct is now none"),
            ],
        ),
        (column(2, pii="direct"), [("stricter", "column status: pii: quasi is now direct")]),
        (column(2, required=True), [("stricter", "column status: is required now")]),
        (column(0, missing="id_missing"), [("note", "column visit_id: missing: None is now id_missing")]),
        (column(0, required=False), [("looser", "column visit_id: may be null now")]),
        (column(2, description="x"), []),
        (lambda contract, suite: suite["expectations"].pop(), [("looser", "rule s removed")]),
        (
            lambda contract, suite: suite["expectations"].append(
                {"type": "t", "meta": {"rule": "n", "on_fail": "warn"}}
            ),
            [("stricter", "rule n added: warn")],
        ),
        (rule(0, "meta", on_fail="block"), [("stricter", "rule r: quarantine is now block")]),
        (rule(0, "meta", on_fail="warn"), [("looser", "rule r: quarantine is now warn")]),
        (rule(0, "kwargs", value_set=[1, 2, 3]), [("looser", "rule r: value_set: [1, 2] is now [1, 2, 3]")]),
        (rule(0, "kwargs", value_set=[1]), [("stricter", "rule r: value_set: [1, 2] is now [1]")]),
        (rule(0, "kwargs", value_set=[3]), [("note", "rule r: value_set: [1, 2] is now [3]")]),
        (rule(1, "kwargs", min_value=2), [("stricter", "rule s: min_value: 1 is now 2")]),
        (rule(1, "kwargs", min_value=0), [("looser", "rule s: min_value: 1 is now 0")]),
        (rule(1, "kwargs", max_value=8), [("stricter", "rule s: max_value: 9 is now 8")]),
        (rule(1, "kwargs", max_value=10), [("looser", "rule s: max_value: 9 is now 10")]),
    ],
)
def test_changes(edit: Edit, expected: list[tuple[str, str]]) -> None:
    contract, suite = copy.deepcopy((CONTRACT, SUITE))
    edit(contract, suite)
    actual = find_changes(({"visits": CONTRACT}, {"visits": contract}), ({"visits": SUITE}, {"visits": suite}))
    assert actual == [("visits", *change) for change in expected]


def test_feeds_come_and_go() -> None:
    actual = find_changes(({"old": CONTRACT}, {"new": CONTRACT}), ({}, {}))
    assert actual == [("new", "note", "new feed"), ("old", "breaking", "feed removed: core is no longer loaded")]


def test_a_rule_that_moves_into_the_contract_is_no_change() -> None:
    rules = {"visit_id_missing": "quarantine", "visit_id_twice": "block", "status_missing": "warn"}
    written = [{"type": "t", "kwargs": {}, "meta": {"rule": rule, "on_fail": fail}} for rule, fail in rules.items()]
    suites = {"visits": {"expectations": [*SUITE["expectations"], *written]}}, {"visits": SUITE}
    actual = find_changes(({"visits": CONTRACT}, {"visits": CONTRACT}), suites)
    assert [(change.effect, change.what) for change in actual] == [("looser", "rule status_missing removed")]

"""A suite reports its faults; results become JUnit."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from promptsales.errors import ConfigError
from promptsales.quality.junit import write_junit
from promptsales.quality.verdict import Verdict
from promptsales.specs.feed import Contract, contract
from promptsales.specs.suite import Expectation, Meta, OnFail, read_suite

LEADS = contract("leads")
GOOD = """
expectations:
  - type: expect_column_values_to_not_be_null
    kwargs: {column: a}
    meta: {rule: a_missing, on_fail: warn}
    description: A is there.
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Contract:
    """Return the feed with a copy of its folder."""

    class Elsewhere(Contract):
        @property
        def folder(self) -> Path:
            return tmp_path

    return Elsewhere.model_validate(LEADS.model_dump())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("warn", "shrug"), "'quarantine', 'block' or 'warn'"),
        (GOOD.replace("kwargs:", "arguments:"), "Extra inputs are not permitted"),
        (GOOD + GOOD.replace("expectations:\n", "").lstrip("\n"), "two expectations have the same meta.rule"),
        ("expectations: [", "while parsing"),
        (
            GOOD.replace("{column: a}", "{column: owner_user_id}"),
            "rule a_missing repeats owner_missing; the file holds rules of the domain only, those on nulls, keys and "
            "types follow from required, key, grain and type of contract.yml or mart.yml; remove it, and write "
            "`missing: NAME` on a required column to keep the name of its rule",
        ),
        (
            GOOD.replace("to_not_be_null", "to_be_unique").replace("{column: a}", "{column: lead_id}"),
            "rule a_missing repeats lead_id_twice; the file holds rules of the domain only",
        ),
        (
            GOOD.replace("to_not_be_null", "to_be_of_type").replace("{column: a}", "{column: score, type_: INTEGER}"),
            "rule a_missing repeats the type of a column; the file holds rules of the domain only",
        ),
        (GOOD.replace("a_missing", "status_missing"), "rule status_missing has the name of an implied rule; rename it"),
    ],
)
def test_what_is_wrong_is_said(elsewhere: Contract, text: str, message: str) -> None:
    (elsewhere.folder / "expectations.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_suite(elsewhere)
    assert str(elsewhere.folder / "expectations.yml") in str(caught.value)
    assert message in str(caught.value)


def test_no_suite_is_an_error(elsewhere: Contract) -> None:
    with pytest.raises(ConfigError, match="a table without checks is not loaded"):
        read_suite(elsewhere)


def verdict(rule: str, on_fail: OnFail, is_success: bool, error: str | None = None) -> Verdict:
    meta = Meta(rule=rule, on_fail=on_fail)
    return Verdict(Expectation(type="t", kwargs={}, meta=meta, description=f"On {rule}."), is_success, 10, 3, [], error)


def test_junit(tmp_path: Path) -> None:
    results = {
        "things": [
            verdict("good", "block", True),
            verdict("odd", "warn", False),
            verdict("bad", "quarantine", False),
            verdict("broken", "block", False, "could not run"),
        ]
    }
    write_junit(tmp_path / "out.xml", results)
    (suite,) = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("things", "4", "2")
    failures = {case.get("name"): case.find("failure") for case in suite}
    messages = {name: failure.get("message") for name, failure in failures.items() if failure is not None}
    assert messages == {"bad": "3 of 10 rows", "broken": "could not run"}

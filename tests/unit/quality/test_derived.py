"""What a contract or a mart implies is judged without being written in expectations.yml, under names that stay."""

from typing import Any

import pytest
import yaml

from promptsales.settings import ROOT
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import Mart, tables
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import read_suite

TABLES: dict[str, Contract | StreamContract | Mart] = {**contracts(), **stream_contracts(), **tables()}
NOT_NULL, UNIQUE = "expect_column_values_to_not_be_null", "expect_column_values_to_be_unique"
COMPOUND = "expect_compound_columns_to_be_unique"


def test_every_table_is_judged_by_the_rules_of_the_golden_file() -> None:
    golden = yaml.safe_load((ROOT / "tests" / "golden" / "suites.yml").read_text(encoding="utf-8"))
    judged = {name: _names(table) for name, table in TABLES.items()}
    assert judged == {name: {kind: rules.split() for kind, rules in suite.items()} for name, suite in golden.items()}


def _names(table: Contract | StreamContract | Mart) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for rule in read_suite(table).expectations:
        names.setdefault(rule.meta.on_fail, []).append(rule.meta.rule)
    return {kind: sorted(rules) for kind, rules in names.items()}


@pytest.mark.parametrize(
    ("table", "rules"),
    [
        (
            "contacts",
            [
                ("contact_id_missing", NOT_NULL, {"column": "contact_id"}, "quarantine"),
                ("owner_missing", NOT_NULL, {"column": "owner_user_id"}, "quarantine"),
                ("pii_kid_missing", NOT_NULL, {"column": "pii_kid"}, "block"),
                ("opt_in_missing", NOT_NULL, {"column": "email_opt_in"}, "quarantine"),
                ("created_at_missing", NOT_NULL, {"column": "created_at"}, "quarantine"),
                ("updated_at_missing", NOT_NULL, {"column": "updated_at"}, "quarantine"),
                ("contact_id_twice", UNIQUE, {"column": "contact_id"}, "block"),
            ],
        ),
        (
            "live_leads",
            [
                ("lead_id_missing", NOT_NULL, {"column": "lead_id"}, "quarantine"),
                ("status_missing", NOT_NULL, {"column": "status"}, "quarantine"),
                ("created_at_missing", NOT_NULL, {"column": "created_at"}, "quarantine"),
                ("updated_at_missing", NOT_NULL, {"column": "updated_at"}, "quarantine"),
                ("lead_id_twice", UNIQUE, {"column": "lead_id"}, "block"),
            ],
        ),
        (
            "lost_reason_monthly",
            [
                ("lost_missing", NOT_NULL, {"column": "lost"}, "block"),
                ("lost_amount_missing", NOT_NULL, {"column": "lost_amount"}, "block"),
                (
                    "grain_twice",
                    COMPOUND,
                    {"column_list": ["month_start_date", "lost_reason", "currency_code"]},
                    "block",
                ),
            ],
        ),
    ],
)
def test_what_a_table_implies_of_nulls_and_its_key(table: str, rules: list[tuple[str, str, Any, str]]) -> None:
    judged = read_suite(TABLES[table]).expectations[: len(rules)]
    assert [(rule.meta.rule, rule.type, rule.kwargs, rule.meta.on_fail) for rule in judged] == rules


def test_a_grain_of_one_column() -> None:
    (rule,) = (rule for rule in read_suite(TABLES["lead_attribution"]).expectations if rule.meta.rule == "grain_twice")
    assert (rule.type, rule.kwargs, rule.meta.on_fail) == (UNIQUE, {"column": "lead_id"}, "block")


def test_a_name_for_a_rule_that_is_not_there_is_refused() -> None:
    contract = contracts()["accounts"].model_dump(mode="json")
    contract["columns"][0] |= {"required": False, "missing": "id_missing"}
    with pytest.raises(
        ValueError,
        match="account_id has missing: id_missing but no required: true, so there is no such rule; "
        "add required: true or remove missing",
    ):
        Contract.model_validate(contract)


def test_a_required_column_of_the_grain_is_refused() -> None:
    mart = tables()["lost_reason_monthly"].model_dump()
    mart["columns"][0]["required"] = True
    with pytest.raises(ValueError, match=r"required: true on month_start_date repeats the grain, .* remove it there"):
        Mart.model_validate(mart)

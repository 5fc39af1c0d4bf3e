"""Rules about the tables' folders; a failure says what to add."""

import re

import pytest

from promptsales.contracts import CORE, Contract, contracts
from promptsales.quality.suite import read_suite
from promptsales.stream_contracts import StreamContract, stream_contracts
from tests.support.cases import FOLDER, cases

FEEDS = list(contracts().values())
FED = contracts().keys() | stream_contracts().keys()
SEEDS = sorted(path.parent.name for path in CORE.glob("*/table.sql") if path.parent.name not in FED)


@pytest.mark.parametrize("contract", FEEDS, ids=lambda contract: contract.table)
def test_history_has_a_table(contract: Contract) -> None:
    ddl = (contract.folder / "table.sql").read_text()
    assert (f"create table core.{contract.table}_history (" in ddl) == bool(contract.history)


@pytest.mark.parametrize("contract", FEEDS, ids=lambda contract: contract.table)
def test_contract_and_table_agree_on_null(contract: Contract) -> None:
    ddl = (contract.folder / "table.sql").read_text().split(");")[0]
    for column in contract.columns:
        strict = bool(re.search(rf"^    {column.name} .*(not null|primary key),$", ddl, re.MULTILINE))
        assert strict == column.required, f"{contract.table}.{column.name}: contract and table.sql disagree on null"


@pytest.mark.parametrize("contract", FEEDS, ids=lambda contract: contract.table)
def test_every_rule_has_a_case(contract: Contract) -> None:
    rules = [expectation.meta.rule for expectation in read_suite(contract).expectations]
    assert sorted(rules) == sorted(cases(contract.table)["cases"]), (
        f"{FOLDER / contract.table}.yml: each rule needs a case that breaks it, each case a rule"
    )


@pytest.mark.parametrize("contract", stream_contracts().values(), ids=lambda contract: contract.table)
def test_every_rule_on_a_streamed_table_has_a_case(contract: StreamContract) -> None:
    rules = {expectation.meta.rule for expectation in read_suite(contract).expectations}
    # those the primary key keeps
    rules -= {f"{contract.key}_missing", f"{contract.key}_twice"}
    assert sorted(rules) == sorted(cases(contract.table)["cases"]), (
        f"{FOLDER / contract.table}.yml: each rule needs a case that breaks it, each case a rule"
    )


@pytest.mark.parametrize("table", SEEDS)
def test_every_column_of_a_seed_is_commented(table: str) -> None:
    ddl = (CORE / table / "table.sql").read_text()
    body = ddl.partition(" (\n")[2].partition("\n);")[0]
    columns = [line.split()[0] for line in body.splitlines() if re.match(r"    [a-z_]+ [a-z]", line)]
    columns = [name for name in columns if name not in ("primary", "check", "unique")]
    for column in columns:
        assert f"comment on column core.{table}.{column} is" in ddl, f"core.{table}.{column} has no comment"

"""Rules for the tables' folders; a failure says what to add."""

import re

import pytest

from promptsales.specs.feed import CORE, Contract, contracts
from promptsales.specs.mart import Mart, tables
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import Expectation, read_suite
from tests.support.cases import FOLDER, cases, has_case

FEEDS = list(contracts().values())
FED = contracts().keys() | stream_contracts().keys()
SEEDS = sorted(path.parent.name for path in CORE.glob("*/table.sql") if path.parent.name not in FED)


# ids, and columns that the pipeline computes
WITHOUT_RANGE = ("pii_kid", "text_length")
# the CRM accepts any smallint as a position: it only orders stages, and a stage before the first has a negative one
ANY_NUMBER = {("pipeline_stages", "position")}
NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")


def rules_with_cases(contract: Contract | StreamContract) -> list[Expectation]:
    """Return a table's rules, without those on the types of columns."""
    return [rule for rule in read_suite(contract).expectations if has_case(rule)]


@pytest.mark.parametrize(
    "contract", [*FEEDS, *stream_contracts().values()], ids=lambda contract: f"{contract.path}-{contract.table}"
)
def test_every_number_has_a_range(contract: Contract | StreamContract) -> None:
    ranges = {
        expectation.kwargs["column"]
        for expectation in rules_with_cases(contract)
        if expectation.type == "expect_column_values_to_be_between"
        and expectation.meta.on_fail == "quarantine"
        and "min_value" in expectation.kwargs
    }
    numbers = {
        column.name
        for column in contract.columns
        if column.type.startswith(NUMBERS)
        and column.name != contract.key
        and column.transform not in WITHOUT_RANGE
        and (contract.table, column.name) not in ANY_NUMBER
    }
    assert numbers - ranges == set(), f"{contract.folder}/expectations.yml: each of these columns needs a range"


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


@pytest.mark.parametrize("mart", tables().values(), ids=lambda mart: mart.mart)
def test_mart_and_table_agree_on_null(mart: Mart) -> None:
    ddl = (mart.folder / "table.sql").read_text().split(");")[0]
    for column in mart.columns:
        strict = re.search(rf"^    {column.name} .*not null,?$", ddl, re.MULTILINE)
        expected = column.required or column.name in mart.grain
        # a column that a later migration adds is not in table.sql
        if strict or f"    {column.name} " in ddl:
            assert bool(strict) == expected, f"{mart.mart}.{column.name}: mart.yml and table.sql disagree on null"


@pytest.mark.parametrize("contract", FEEDS, ids=lambda contract: contract.table)
def test_every_rule_has_a_case(contract: Contract) -> None:
    rules = [expectation.meta.rule for expectation in rules_with_cases(contract)]
    assert sorted(rules) == sorted(cases(contract.table)["cases"]), (
        f"{FOLDER / contract.table}.yml: each rule needs a case that breaks it, each case a rule"
    )


@pytest.mark.parametrize("contract", stream_contracts().values(), ids=lambda contract: contract.table)
def test_every_rule_on_a_streamed_table_has_a_case(contract: StreamContract) -> None:
    rules = {expectation.meta.rule for expectation in rules_with_cases(contract)}
    # the primary key enforces these
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

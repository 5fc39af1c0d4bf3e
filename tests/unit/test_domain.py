"""docs/domain.md agrees with the contracts, marts and rules that it explains."""

import re
from functools import cache

import pytest
import yaml

from promptsales.settings import ROOT

WAREHOUSE = ROOT / "warehouse"
TEXT = (ROOT / "docs" / "domain.md").read_text(encoding="utf-8")
# the page explains them once, for all tables
COMMON = {"created_at", "updated_at", "deleted_at"}


@cache
def contract_columns() -> dict[str, set[str]]:
    """Return the columns of each contract by ``schema.table``."""
    return {
        f"{path.parts[-3]}.{path.parts[-2]}": {column["name"] for column in yaml.safe_load(path.read_text())["columns"]}
        for path in sorted(WAREHOUSE.glob("*/*/contract.yml"))
    }


def section(heading: str) -> str:
    """Return the text from a heading to the next one of any level."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", TEXT, re.M | re.S)
    assert match, f"docs/domain.md has no heading {heading}: add one"
    return match[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of each line of the tables in a text; the first two of a table are its heading."""
    return [[cell.strip() for cell in line.split("|")] for line in re.findall(r"^\|(.*)\|$", text, re.M)]


@pytest.mark.parametrize("table", contract_columns())
def test_columns_are_those_of_the_contract(table: str) -> None:
    explained = {name for cells in rows(section(table)) for name in re.findall(r"`(\w+)`", cells[0])}
    assert explained - COMMON == contract_columns()[table] - COMMON


@pytest.mark.parametrize("table", contract_columns())
def test_history_is_that_of_the_contract(table: str) -> None:
    schema, name = table.split(".")
    history = yaml.safe_load((WAREHOUSE / schema / name / "contract.yml").read_text()).get("history") or []
    sentence = re.search(r"history of ([^.]*?)(?:\.|, so that)", section(table).split("|")[0])
    assert (re.findall(r"`(\w+)`", sentence[1]) if sentence else []) == history


def test_marts_are_those_of_the_warehouse() -> None:
    listed = [cells[0].strip("`") for cells in rows(section("2.4 Marts")) if cells[0].startswith("`")]
    assert sorted(listed) == sorted(path.parent.name for path in WAREHOUSE.glob("marts/*/mart.yml"))


def test_rules_exist_and_do_what_the_page_says() -> None:
    listed = {table: cells for table, *cells in rows(section("Rules of the domain"))[2:]}
    assert {f"core.{table}" for table in listed} == {table for table in contract_columns() if table.startswith("core.")}
    unlike = []
    for table, cells in listed.items():
        suite = yaml.safe_load((WAREHOUSE / "core" / table / "expectations.yml").read_text())["expectations"]
        rules = {item["meta"]["rule"]: item["meta"]["on_fail"] for item in suite}
        for action, cell in zip(("quarantine", "block", "warn"), cells, strict=True):
            unlike += [f"{table}: {rule}" for rule in re.findall(r"`(\w+)`", cell) if rules.get(rule) != action]
    assert unlike == []


def test_measures_are_columns_of_marts() -> None:
    columns = {
        column["name"]
        for path in WAREHOUSE.glob("marts/*/mart.yml")
        for column in yaml.safe_load(path.read_text())["columns"]
    }
    formulas = TEXT[TEXT.index("### 2.5 Formulas") : TEXT.index("## 3. Check rules")]
    measures = {name for cells in rows(formulas) for name in re.findall(r"`(\w+)`", cells[0])}
    assert len(measures) > 30
    assert measures - columns == set()

"""Doctor names every suite that is wrong, of feeds, streamed tables and marts."""

from pathlib import Path
from typing import Any

import pytest

from promptsales.monitoring import doctor
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import Mart, tables
from promptsales.specs.stream import StreamContract, stream_contracts

RULE = """
expectations:
  - type: expect_column_values_to_not_be_null
    kwargs: {{column: {}}}
    meta: {{rule: my_rule, on_fail: warn}}
    description: It is there.
"""


def elsewhere(table: Contract | StreamContract | Mart, folder: Path, column: str) -> Any:
    """Return the table with a folder of the test's own, whose suite repeats that a column is not null."""
    (folder / "expectations.yml").write_text(RULE.format(column))
    (folder / "table.sql").touch()
    there = type("Elsewhere", (type(table),), {"folder": property(lambda _: folder)})
    return there.model_validate(table.model_dump(mode="json"))  # type: ignore[attr-defined]


def test_rules_that_repeat_the_contract_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repeated: dict[str, tuple[str, Contract | StreamContract | Mart, str]] = {
        "contracts": ("leads", contracts()["leads"], "owner_user_id"),
        "stream_contracts": ("campaigns", stream_contracts()["campaigns"], "budget"),
        "tables": ("lost_reason_monthly", tables()["lost_reason_monthly"], "lost"),
    }
    for where, (name, table, column) in repeated.items():
        folder = tmp_path / name
        folder.mkdir()
        moved = elsewhere(table, folder, column)
        monkeypatch.setattr(doctor, where, lambda name=name, moved=moved: {name: moved})
    findings = list(doctor._contracts(Settings()))
    assert [(finding.where, finding.what.split("; ")[0]) for finding in findings] == [
        ("suite leads", f"suite {tmp_path}/leads/expectations.yml: rule my_rule repeats owner_missing"),
        ("suite campaigns", f"suite {tmp_path}/campaigns/expectations.yml: rule my_rule repeats budget_missing"),
        (
            "suite lost_reason_monthly",
            f"suite {tmp_path}/lost_reason_monthly/expectations.yml: rule my_rule repeats lost_missing",
        ),
    ]

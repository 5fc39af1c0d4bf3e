"""Every suite checks its whole table once a day; the results are recorded, and the task fails when it must."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from promptsales.errors import BatchBlocked
from promptsales.orchestration import quality
from promptsales.quality.verdict import Verdict
from promptsales.settings import ROOT
from promptsales.specs.suite import Expectation, Meta, OnFail

Find = Callable[[OnFail], None]


def test_every_table_with_a_suite_is_checked() -> None:
    tasks: list[Any] = DagBag(str(ROOT / "dags")).dags["warehouse_quality"].tasks
    checked = {(task.task_id, *task.op_args) for task in tasks if task.task_id.endswith("_rows")}
    suites = [path.parent.name for path in (ROOT / "warehouse").glob("*/*/expectations.yml")]
    assert checked == {(f"{name}_rows", name) for name in suites}


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Find:
    """Make the check of any table report one broken rule."""

    def make(on_fail: OnFail) -> None:
        rule = Expectation(type="t", kwargs={}, meta=Meta(rule="odd", on_fail=on_fail), description="d")
        audit = SimpleNamespace(audit_table=lambda *_: [Verdict(rule, False, 10, 3, [], None)])
        monkeypatch.setitem(sys.modules, "promptsales.quality.tables", audit)
        monkeypatch.setattr(quality, "postgres", lambda _: nullcontext())

    return make


def test_a_warning_is_told(find: Find, caplog: pytest.LogCaptureFixture) -> None:
    find("warn")
    quality.check_rows.function("campaigns")
    assert [record.getMessage() for record in caplog.records] == ["campaigns: odd: 3 of 10 rows"]


def test_more_than_a_warning_fails(find: Find) -> None:
    find("block")
    with pytest.raises(BatchBlocked, match=r"^campaigns violates odd; see ops\.check_result for the counts"):
        quality.check_rows.function("campaigns")

"""A slow mart delays only the marts built from it, in the same run and in others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from promptsales.errors import TransientError
from promptsales.marts import build
from promptsales.marts.plan import BuildRequest
from promptsales.settings import Settings
from spark_jobs import jobs
from tests.integration.marts.conftest import AS_OF
from tests.integration.marts.test_marts import fill
from tests.integration.provision.conftest import Connect

FULL = BuildRequest(AS_OF, "test", is_full=True)
LONG, OTHER, THIRD = "sales_pipeline_daily", "ai_cost_daily", "lost_reason_monthly"
PATIENCE_S = 120


class Long:
    """A build whose slow mart waits for a locked table; it records its results and when another mart was published."""

    def __init__(self, warehouse: psycopg.Connection, stack: Settings, spark: Any) -> None:
        self.told: list[tuple[str, str]] = []
        self.is_other_out, self.is_long_told = threading.Event(), threading.Event()
        self.built: list[str] = []
        arguments = ([LONG, OTHER], warehouse, stack, FULL, jobs, spark, self._tell)
        self.thread = threading.Thread(
            target=lambda: self.built.extend(result.mart for result in build.build(*arguments))
        )

    def _tell(self, mart: str, what: str) -> None:
        self.told.append((mart, what))
        if mart == OTHER and what.startswith("published after "):
            self.is_other_out.set()
        if mart == LONG and what.startswith("Spark has done "):
            self.is_long_told.set()


@contextmanager
def locked(connection: psycopg.Connection) -> Iterator[None]:
    with connection.transaction():
        connection.execute("lock table core.opportunity_stage_history in access exclusive mode")
        yield


def test_a_mart_that_takes_long_holds_up_no_other(
    admin: psycopg.Connection, connect: Connect, stack: Settings, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(admin)
    monkeypatch.setattr(build, "REPORT_S", 0)
    with connect("warehouse_loader") as first, connect("warehouse_loader") as second:
        long = Long(first, stack, spark)
        with locked(admin):
            long.thread.start()
            assert long.is_other_out.wait(PATIENCE_S)
            assert long.is_long_told.wait(PATIENCE_S)
            assert [result.mart for result in build.build([OTHER, THIRD], second, stack, FULL, jobs, spark)] == [
                OTHER,
                THIRD,
            ]
            with pytest.raises(TransientError, match=f"another run is building {LONG} .*; run this again when it has"):
                build.build([LONG, OTHER], second, stack, FULL, jobs, spark)
            assert (LONG, "publish") not in long.told
        long.thread.join(PATIENCE_S)
    assert long.built == [OTHER, LONG]
    assert admin.execute("select mart, count(*) from ops.mart_build group by mart order by mart").fetchall() == [
        (OTHER, 3), (THIRD, 1), (LONG, 1),
    ]  # fmt: skip

"""A whole streamed table against its source: differences without an event are repaired, whatever the row's age."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from promptsales.cli.main import main
from promptsales.errors import BatchBlocked, TerminalError
from promptsales.orchestration import reconcile as tasks
from promptsales.reconcile.settle import Reconciliation
from promptsales.reconcile.streamed import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import audit
from promptsales.stream.audit_books import has_changed
from promptsales.stream.messages import Message
from tests.integration.streams.conftest import Apply
from tests.support.campaigning import start_campaigns
from tests.support.events import message
from tests.support.figures import miscounted
from tests.support.streaming import TABLES, differing

METRICS = stream_contracts()["campaign_metrics"]
# long before the hours of any audit; the source's trigger would set updated_at
_MEASURE = """
    set session_replication_role = replica;
    insert into promptads.campaign_metrics (campaign_id, timestamp, impressions, spend, updated_at)
    select id, timestamp '2026-01-05 10:00', n, 0.25, timestamp '2026-01-05 11:00'
    from promptads.campaigns cross join generate_series(1, 5) n;
    insert into promptads.campaign_metrics (campaign_id, impressions, clicks, updated_at)
    select id, 9, -1, timestamp '2026-01-05 11:00' from promptads.campaigns limit 1
"""


@pytest.fixture
def ads(stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Fill PromptAds with 8 campaigns and 41 old measurements, one of them bad; nothing follows it.

    The warehouse's books say that every event is applied.
    """
    with psycopg.connect(stack.address("sources_admin"), dbname="promptsales", autocommit=True) as connection:
        connection.execute("truncate promptads.campaigns cascade")
        start_campaigns(stack)
        connection.execute(_MEASURE)
        admin.execute(
            "insert into ops.feed (feed, complete_through) select unnest(%s::text[]), now() + interval '1 day' "
            "on conflict (feed) do update set complete_through = excluded.complete_through",
            [[name.split(".")[1] for name in TABLES]],
        )
        yield connection


Run = Callable[..., Reconciliation]


@pytest.fixture
def run(stack: Settings, warehouse: psycopg.Connection, ads: psycopg.Connection) -> Run:
    """Return a function that reconciles campaign_metrics."""

    def reconciled(limits: Limits | None = None, **options: Any) -> Reconciliation:
        found = stack.model_copy(update={"quarantine_rows": limits.rows}) if limits else stack
        with psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source:
            result = reconcile(found, METRICS, source, warehouse, "test", **options)
        assert result
        return result

    return reconciled


def figures(result: Reconciliation) -> tuple[int, ...]:
    return result.source_rows, result.warehouse_rows, result.gone, result.deleted, result.missing, result.differing


def event(warehouse: psycopg.Connection, op: str, row: dict[str, Any], lsn: int) -> Message:
    """Return an event of the connector's current epoch."""
    found = warehouse.execute("select epoch from ops.connector where connector = 'promptads'").fetchone()
    return message(op, row, lsn, before={"id": row["id"]}, epoch=found[0] if found else 1)


def measured(key: int, campaign: object, impressions: int) -> dict[str, Any]:
    """Return a row of the source in the form of an event."""
    return {
        "id": key, "campaign_id": str(campaign), "timestamp": "2026-01-05T10:00:00Z", "impressions": impressions,
        "clicks": 0, "spend": "0.2500", "conversions": 0, "updated_at": "2026-01-05T11:00:00Z",
    }  # fmt: skip


def differing_rows(stack: Settings, warehouse: psycopg.Connection) -> int:
    return len(differing(stack, warehouse).get("core.campaign_metrics", []))


def test_rows_of_any_age_are_brought_changed_and_deleted(
    stack: Settings, warehouse: psycopg.Connection, ads: psycopg.Connection, run: Run
) -> None:
    assert figures(run()) == (41, 0, 0, 0, 41, 0)
    assert differing_rows(stack, warehouse) == 0
    held = "select rules from ops.quarantine where released_at is null"
    assert warehouse.execute(held).fetchall() == [(["clicks_negative"],)]
    assert figures(run()) == (41, 41, 0, 0, 0, 0)
    # triggers are off, so updated_at does not change
    ads.execute("update promptads.campaign_metrics set impressions = 77 where impressions = 2")
    ads.execute("delete from promptads.campaign_metrics where impressions in (3, 9)")
    ads.execute("update promptads.campaign_metrics set updated_at = '2030-01-01' where impressions = 4")
    warehouse.execute("delete from core.campaign_metrics where impressions = 5")
    warehouse.execute("delete from ops.touched")
    assert figures(run()) == (32, 33, 9, 9, 8, 16)
    assert differing_rows(stack, warehouse) == 0
    assert warehouse.execute("select count(*) from ops.touched").fetchone() == (8,)
    # minutes of that age are not kept
    assert miscounted(warehouse).keys() == {"campaign_minute"}
    noted = "select gone, deleted, missing, differing, is_whole from ops.reconciliation order by reconciliation_id"
    assert warehouse.execute(noted).fetchall() == [(0, 0, 41, 0, True), (0, 0, 0, 0, True), (9, 9, 8, 16, True)]
    # the hourly audit has still to judge the repaired rows
    assert has_changed(warehouse, METRICS)


def test_an_emptied_source_deletes_nothing_unless_it_is_accepted(
    stack: Settings, warehouse: psycopg.Connection, ads: psycopg.Connection, run: Run
) -> None:
    run()
    ads.execute("truncate promptads.campaign_metrics")
    told = (
        r"^table campaign_metrics: 41 of 41 rows are gone at the source, more than 20% and at least 10 rows block a "
        r"batch; nothing is deleted; check promptads\.campaign_metrics, and if it is correct, run "
        r"`promptsales reconcile campaign_metrics --accept-gone`$"
    )
    with pytest.raises(BatchBlocked, match=told):
        run(Limits(rows=10))
    assert warehouse.execute("select count(*) from core.campaign_metrics where not is_deleted").fetchone() == (40,)
    assert figures(run(Limits(rows=10), accept_gone=True)) == (0, 41, 41, 41, 0, 0)
    assert differing_rows(stack, warehouse) == 0
    assert miscounted(warehouse) == {}


def test_a_change_on_its_way_is_no_fault_and_is_not_undone(
    warehouse: psycopg.Connection, ads: psycopg.Connection, run: Run, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    (key, campaign) = ads.execute(
        "update promptads.campaign_metrics set impressions = 88"
        " where id = (select min(id) from promptads.campaign_metrics) returning id, campaign_id"
    ).fetchone() or (0, None)
    row, gone = measured(key, campaign, 88), measured(-1, campaign, 1)
    apply([event(warehouse, "c", gone, 50)])

    def arrive(_reached: Any, _moment: datetime) -> None:
        apply([event(warehouse, "u", row, 100), event(warehouse, "d", gone, 101)])

    monkeypatch.setattr(audit, "wait_until_complete", arrive)
    found = run()
    assert (found.missing, found.differing, found.gone, found.pending) == (0, 0, 0, 2)
    query = "select impressions, src_lsn from core.campaign_metrics where metric_id = %s"
    assert warehouse.execute(query, [key]).fetchall() == [(88, 100)]


def test_a_repair_loses_against_an_event_that_comes_later(
    warehouse: psycopg.Connection, ads: psycopg.Connection, run: Run, apply: Apply
) -> None:
    run()
    key, campaign = ads.execute("select id, campaign_id from promptads.campaign_metrics order by id").fetchone() or ()
    apply([event(warehouse, "u", measured(key, campaign, 5), 1)])
    query = "select impressions from core.campaign_metrics where metric_id = %s"
    assert warehouse.execute(query, [key]).fetchall() == [(5,)]


@pytest.mark.usefixtures("ads")
def test_the_command(
    warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["promptsales", "reconcile", "campaign_metrics", "ads", "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (None, 0)
    found = {one["feed"]: (one["source_rows"], one["missing"]) for one in json.loads(capsys.readouterr().out)}
    assert found == {"campaign_metrics": (41, 41), "ads": (16, 16)}
    assert warehouse.execute("select count(*) from core.ads").fetchone() == (16,)


@pytest.mark.usefixtures("ads")
def test_the_task(stack: Settings, warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []
    run = SimpleNamespace(dag_id="warehouse_reconcile", run_id="test")
    monkeypatch.setattr(tasks, "postgres", lambda name: psycopg.connect(stack.address(name), autocommit=True))
    monkeypatch.setattr(tasks, "get_current_context", lambda: {"dag_run": run})
    monkeypatch.setattr(tasks, "forget_responses", forgotten.append)
    for _ in range(2):
        tasks.compare_streamed.function("ads")
    noted = "select missing, triggered_by from ops.reconciliation order by reconciliation_id"
    assert warehouse.execute(noted).fetchall() == [(16, "airflow:warehouse_reconcile/test"),
                                                   (0, "airflow:warehouse_reconcile/test")]  # fmt: skip
    assert forgotten == ["core.ads"]


def test_a_table_that_is_not_published_is_refused(ads: psycopg.Connection, run: Run) -> None:
    ads.execute("alter publication promptads drop table promptads.campaign_metrics")
    try:
        with pytest.raises(TerminalError, match=r"promptads\.campaign_metrics is not in publication promptads"):
            run()
    finally:
        columns = ", ".join(METRICS.origins)
        ads.execute(f"alter publication promptads add table promptads.campaign_metrics ({columns})".encode())


def test_a_table_of_which_nothing_was_applied_is_left_alone(
    stack: Settings, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    with psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source:
        assert reconcile(stack, METRICS, source, warehouse, "test") is None
    assert warehouse.execute("select count(*) from ops.reconciliation").fetchone() == (0,)

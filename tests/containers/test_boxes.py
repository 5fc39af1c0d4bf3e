"""The containers of docker/ at work: one lead and one measurement on their way to the marts, and a restart."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.containers.conftest import Boxes

pytestmark = pytest.mark.timeout(3600)

SOURCES, WAREHOUSE = 21000, 21001
HOURLY, MARTS = ("promptcrm_hourly", "promptsales_hourly"), "warehouse_marts"
PATIENCE_S = 600
OWNER, CAMPAIGN, LEAD = (uuid.UUID(int=number) for number in (1, 2, 3))

# all of yesterday: the marts show days that are over
_CAMPAIGN = """
    insert into promptsales.users (id, email, password_hash, role) values (%(owner)s, 'o@example.com', 'x', 'viewer');
    insert into promptads.campaigns (id, user_id, name, objective, budget, status, start_date, end_date, created_at)
    values (%(campaign)s, %(owner)s, 'spring', 'conversions', 40, 'active', %(start)s, %(end)s, %(start)s);
"""
_MEASUREMENT = """
    insert into promptads.campaign_metrics (campaign_id, timestamp, impressions, clicks, spend, conversions)
    values (%(campaign)s, %(at)s, 100, 10, 2.5, 1)
"""
_LEAD = """
    insert into crm.leads (id, owner_user_id, email, campaign_id, lead_source, created_at)
    values (%(lead)s, %(owner)s, 'lead@example.com', %(campaign)s, 'paid', %(at)s)
"""
_AT = datetime.now(UTC) - timedelta(days=1)
_KNOWN = {
    "owner": OWNER, "campaign": CAMPAIGN, "lead": LEAD, "at": _AT, "start": _AT - timedelta(days=2),
    "end": _AT + timedelta(days=9),
}  # fmt: skip
_DAYS = """
    select campaign_name, impressions, clicks, spend::float, conversions
    from marts.campaign_performance_daily where has_data
"""
_LOADED = "select lead_id, email_hmac, _loaded_at from core.leads"
_ATTRIBUTED = "select lead_id, campaign_id, campaign_name, attribution_method from marts.lead_attribution"


def _write(boxes: Boxes, database: str, statement: str) -> None:
    with boxes.connect(SOURCES, database) as source, psycopg.ClientCursor(source) as cursor:
        cursor.execute("set timezone to 'UTC'")
        cursor.execute(statement, _KNOWN)


def _read(boxes: Boxes, query: str) -> list[Any]:
    with boxes.connect(WAREHOUSE, "warehouse") as warehouse:
        return warehouse.execute(query).fetchall()


def _wait_for(boxes: Boxes, query: str, expected: list[Any]) -> None:
    """Wait until the stream has stored what a query finds."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := _read(boxes, query)) != expected:
        assert time.monotonic() < deadline, f"{query} finds {found}, not {expected}"
        time.sleep(1)


def _run(boxes: Boxes, *dags: str) -> None:
    """Run DAGs through Airflow and wait for their success."""
    with boxes.airflow() as airflow:
        runs = [airflow.trigger(dag, f"manual__{uuid.uuid4()}") for dag in dags]
        for dag in dags:
            airflow.pause(dag, is_paused=False)
        for run in runs:
            ended, tasks = airflow.wait(run, PATIENCE_S)
            failed = {task.task_id: airflow.get_last_error(run, task) for task in tasks if task.state == "failed"}
            assert (ended.state, failed) == ("success", {})


def test_a_lead_and_a_measurement_reach_the_marts(boxes: Boxes) -> None:
    _write(boxes, "promptsales", _CAMPAIGN + _MEASUREMENT)
    _write(boxes, "promptcrm", _LEAD)
    _wait_for(boxes, "select clicks from core.campaign_metrics", [(10,)])
    _wait_for(boxes, "select lead_id from realtime.live_leads", [(LEAD,)])
    _run(boxes, *HOURLY)
    _run(boxes, MARTS)
    assert _read(boxes, _DAYS) == [("spring", 100, 10, 2.5, 1)]
    assert _read(boxes, _ATTRIBUTED) == [(LEAD, CAMPAIGN, "spring", "campaign_id")]


def test_down_and_up_lose_nothing(boxes: Boxes) -> None:
    queries = (_DAYS, _ATTRIBUTED, _LOADED)
    before = [_read(boxes, query) for query in queries]
    boxes.compose("down")
    boxes.up()
    assert [_read(boxes, query) for query in queries] == before
    assert boxes.read_secrets() == boxes.secrets
    # the connectors are still there, and continue
    _write(boxes, "promptsales", _MEASUREMENT)
    _wait_for(boxes, "select count(*), sum(clicks) from core.campaign_metrics", [(2, 20)])
    _run(boxes, MARTS)
    assert _read(boxes, _DAYS) == [("spring", 200, 20, 5.0, 2)]

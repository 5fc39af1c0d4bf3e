"""Alerts of a running Airflow, sent to the test's own servers: a task that fails, a run that misses its deadline."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from promptsales.airflow_client.api import AirflowClient
from promptsales.settings import Settings
from tests.e2e.conftest import HOURLY, PATIENCE_S
from tests.support.inbox import Inbox, inbox
from tests.support.servers import MAIL_PORT, WEB_PORT
from tests.support.watching import secrets_in, watching

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def box() -> Iterator[Inbox]:
    """Run the servers that the stack's Airflow sends its alerts to."""
    with inbox(MAIL_PORT, WEB_PORT) as servers:
        yield servers


def test_a_failing_task(airflow: AirflowClient, box: Inbox) -> None:
    run = airflow.trigger(HOURLY, f"alert-{uuid.uuid4()}", {"start": "2026-01-01T00:00:00Z"})
    airflow.wait(run, PATIENCE_S)
    alert = box.wait_for(lambda post: run.run_id in post["text"] and "window" in post["subject"])
    assert alert["subject"] == f"{HOURLY}: window failed"
    assert "try 1: a window needs both start and end" in alert["text"]
    assert f"{HOURLY}: window failed" in {mail["subject"] for mail in box.mails}


def test_a_missed_deadline(stack: Settings, airflow: AirflowClient, box: Inbox) -> None:
    with psycopg.connect(stack.address("warehouse_admin")) as lock:
        lock.execute("lock staging.promptcrm__leads in exclusive mode")  # so the run cannot end
        run = airflow.trigger(HOURLY, f"late-{uuid.uuid4()}")
        with psycopg.connect(stack.address("airflow_db"), autocommit=True) as metadata:
            moved = metadata.execute(
                "update deadline d set deadline_time = now() - interval '1 second' from dag_run r "
                "where r.id = d.dagrun_id and r.run_id = %s",
                [run.run_id],
            )
            assert moved.rowcount == 1
        alert = box.wait_for(lambda post: run.run_id in post["text"] and "late" in post["subject"])
        lock.rollback()
    assert alert == {
        "subject": f"{HOURLY} is late",
        "text": f"{HOURLY}, run {run.run_id}, is still running 45 minutes after it was queued",
    }
    airflow.wait(run, PATIENCE_S)


def test_no_process_shows_or_inherits_what_sends_an_alert(stack: Settings, airflow: AirflowClient) -> None:
    with watching(marker=f"AIRFLOW_HOME={stack.state}".encode()) as watched:
        airflow.wait(airflow.trigger(HOURLY, f"watched-{uuid.uuid4()}"), PATIENCE_S)
    assert secrets_in(watched.command_lines, stack) == []
    assert secrets_in(watched.environments, stack) == []
    assert any(b"scheduler" in line for line in watched.command_lines)
    assert watched.environments

"""A build that meets another one names it, and waits if told to."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from promptsales.erasure.suppression import BUILD_LOCK
from promptsales.errors import TransientError
from promptsales.marts import locks
from promptsales.marts.build import build
from promptsales.marts.plan import BuildRequest
from promptsales.monitoring.books import check_builds
from promptsales.settings import Settings
from spark_jobs import jobs
from tests.integration.provision.conftest import Connect

REQUEST = BuildRequest(datetime(2024, 3, 11, 5, tzinfo=UTC), "test")


def hold(connection: psycopg.Connection) -> str:
    """Take the lock as a build does, and return the text by which another build must name this one."""
    connection.autocommit = True
    connection.execute("select pg_advisory_lock(%s)", [BUILD_LOCK])
    ((began,),) = connection.execute(
        "select backend_start at time zone 'UTC' from pg_stat_activity where pid = pg_backend_pid()"
    )
    pid = connection.info.backend_pid
    return (
        f"another run is building marts (session {pid} of {connection.info.user}, connected since "
        f"{began:%Y-%m-%d %H:%M:%S} UTC)"
    )


def test_a_build_that_does_not_wait_names_the_other_one(
    admin: psycopg.Connection, connect: Connect, stack: Settings
) -> None:
    with connect("warehouse_loader") as first, connect("warehouse_loader") as second:
        message = hold(first)
        with pytest.raises(TransientError) as refused:
            build([], second, stack, REQUEST, jobs)
        assert str(refused.value) == f"{message}; run this again when it has finished"


def test_a_build_that_waits_goes_on_when_the_other_one_ended(
    admin: psycopg.Connection, connect: Connect, stack: Settings
) -> None:
    messages: list[str] = []
    with connect("warehouse_loader") as first, connect("warehouse_loader") as second:
        message = hold(first)

        def wait(text: str) -> None:
            messages.append(text)
            if len(messages) == 2:
                first.close()

        assert build([], second, stack, REQUEST, jobs, wait=wait) == []
    assert messages == [message, message]


def note_build(admin: psycopg.Connection, mart: str, taken: timedelta) -> None:
    """Record a published build of a mart."""
    admin.execute(
        "insert into ops.mart_build (mart, is_full, ranges, staged, inserted, updated, deleted, restated, "
        "checks_passed, checks_failed, triggered_by, started_at, published_at) "
        "values (%s, false, '{}', 0, 0, 0, 0, 0, 0, 0, 'test', now() - %s, now())",
        [mart, taken],
    )


def test_doctor_names_a_build_that_runs_longer_than_usual(admin: psycopg.Connection, connect: Connect) -> None:
    slow, usual, first = "sales_pipeline_daily", "ai_cost_daily", "lost_reason_monthly"
    note_build(admin, slow, timedelta(microseconds=1))
    note_build(admin, usual, timedelta(hours=1))
    with connect("warehouse_loader") as running, connect("warehouse_loader") as looking:
        running.autocommit = looking.autocommit = True
        for mart in (slow, usual, first):
            assert locks.hold(running, mart) is None
        assert list(check_builds(looking)) == []
        (finding,) = check_builds(looking, at_least=timedelta(0))
        ((pid, began),) = running.execute(
            "select pid, backend_start at time zone 'UTC' from pg_stat_activity where pid = pg_backend_pid()"
        )
    assert finding.where == f"mart {slow}"
    assert finding.what == (
        f"session {pid} has been building it since {began:%Y-%m-%d %H:%M:%S} UTC; the slowest of "
        "its last 20 builds took 0 s"
    )

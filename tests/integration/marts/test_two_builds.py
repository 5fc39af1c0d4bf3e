"""A build that meets another one, or an erasure, names it and waits if told to."""

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


def erase(connection: psycopg.Connection) -> str:
    """Take the lock as an erasure does, and return the text by which a build must name it."""
    connection.autocommit = True
    connection.execute("select pg_sleep(1.1)")  # its session is older than its transaction
    connection.execute("begin")
    connection.execute("select pg_advisory_xact_lock(%s)", [BUILD_LOCK])
    ((began,),) = connection.execute("select now() at time zone 'UTC'")
    return (
        f"marts cannot be built while a person is erased (session {connection.info.backend_pid} of "
        f"{connection.info.user}, since {began:%Y-%m-%d %H:%M:%S} UTC)"
    )


def test_a_build_that_meets_an_erasure_names_it(admin: psycopg.Connection, connect: Connect, stack: Settings) -> None:
    with connect("warehouse_loader") as first, connect("warehouse_loader") as second:
        message = erase(first)
        with pytest.raises(TransientError) as refused:
            build([], second, stack, REQUEST, jobs)
        assert str(refused.value) == f"{message}; run this again when it has finished"


def test_a_build_that_waits_goes_on_when_the_erasure_ended(
    admin: psycopg.Connection, connect: Connect, stack: Settings
) -> None:
    messages: list[str] = []
    with connect("warehouse_loader") as first, connect("warehouse_loader") as second:
        message = erase(first)

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


def test_a_build_names_who_took_the_lock_and_when(admin: psycopg.Connection, connect: Connect) -> None:
    """The session is older, as one session builds several marts."""
    mart = "sales_pipeline_daily"
    with connect("warehouse_loader") as first, connect("warehouse_loader") as second:
        first.autocommit = second.autocommit = True
        first.execute("select pg_sleep(1.1)")
        assert locks.hold(first, mart, "cli:an older build") is None
        locks.release(first, mart)
        assert locks.hold(first, mart, "airflow:warehouse_marts/manual__1") is None
        ((taken,),) = admin.execute("select max(taken_at) at time zone 'UTC' from ops.mart_lock")
        ((age,),) = admin.execute("select clock_timestamp() - max(taken_at) from ops.mart_lock")
        assert locks.hold(second, mart, "cli:promptsales build") == (
            f"another run is building {mart} (started {taken:%Y-%m-%d %H:%M:%S} UTC by "
            f"airflow:warehouse_marts/manual__1, session {first.info.backend_pid})"
        )
        locks.release(first, mart)
        assert locks.hold(second, mart, "cli:promptsales build") is None
    assert age < timedelta(minutes=1)


def test_doctor_and_the_page_name_a_build_that_runs_longer_than_usual(
    admin: psycopg.Connection, connect: Connect
) -> None:
    slow, usual, first = "sales_pipeline_daily", "ai_cost_daily", "lost_reason_monthly"
    note_build(admin, slow, timedelta(microseconds=1))
    note_build(admin, usual, timedelta(hours=1))
    for role in ("warehouse_loader", "warehouse_page"):
        with connect("warehouse_loader") as running, connect(role) as looking:
            running.autocommit = looking.autocommit = True
            for mart in (slow, usual, first):
                assert locks.hold(running, mart, "cli:test") is None
            assert list(check_builds(looking)) == []
            (finding,) = check_builds(looking, at_least=timedelta(0))
            ((pid, taken),) = running.execute(
                "select pid, taken_at at time zone 'UTC' from ops.mart_lock where mart = %s and pid = pg_backend_pid()",
                [slow],
            )
        assert finding.where == f"mart {slow}"
        assert finding.what == (
            f"cli:test (session {pid}) has been building it since {taken:%Y-%m-%d %H:%M:%S} UTC; the slowest of "
            "its last 20 builds took 0 s"
        )

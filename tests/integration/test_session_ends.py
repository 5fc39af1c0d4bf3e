"""A session with other settings than it asked for is refused, and a statement ends with its client."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.connections import connected
from promptsales.errors import ConfigError
from promptsales.settings import ROOT, Settings


def test_a_session_that_is_changed_behind_our_back_is_refused(stack: Settings) -> None:
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as admin:
        admin.execute("create function public.at_login() returns event_trigger language plpgsql "
                      "as $$ begin perform set_config('DateStyle', 'SQL, DMY', false); end $$")  # fmt: skip
        admin.execute("create event trigger at_login on login execute function public.at_login()")
        try:
            with (
                pytest.raises(
                    ConfigError,
                    match=r"connection promptcrm_etl: the session has DateStyle SQL, DMY, expected ISO, MDY;",
                ),
                connected(stack, "promptcrm_etl"),
            ):
                pass
        finally:
            admin.execute("drop event trigger at_login; drop function public.at_login()")


def test_the_environment_decides_nothing(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGTZ": "Asia/Tokyo",
        "PGDATESTYLE": "German",
        "PGOPTIONS": "-c IntervalStyle=iso_8601",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    query = "select date '2024-02-01'::text, timestamptz '2024-02-01 03:04Z'::text, interval '1 day'::text, 'é'"
    with connected(stack, "promptcrm_etl") as connection:
        values = connection.execute(query).fetchone()
    assert values == ("2024-02-01", "2024-02-01 03:04:00+00", "1 day", "é")


@pytest.mark.parametrize("name", ["promptcrm_etl", "warehouse", "warehouse_admin"])
def test_a_statement_ends_with_its_client(stack: Settings, name: str) -> None:
    marker = uuid.uuid4().hex
    script = (
        "import sys; from promptsales.connections import connected; from promptsales.settings import settings\n"
        f"with connected(settings(), {name!r}) as connection:\n"
        "    print('ready', flush=True)\n"
        f"    connection.execute('select pg_sleep(600) as \"{marker}\"')\n"
    )
    admin_of = "sources_admin" if name == "promptcrm_etl" else "warehouse_admin"
    running = "select count(*) from pg_stat_activity where query like %s and pid <> pg_backend_pid()"
    with psycopg.connect(stack.address(admin_of), autocommit=True) as admin:  # type: ignore[arg-type]

        def is_running() -> bool:
            return admin.execute(running, [f"%{marker}%"]).fetchone() == (1,)

        with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE) as client:
            try:
                assert comes_true(is_running), "the client's statement does not start"
            finally:
                client.kill()
        assert comes_true(lambda: not is_running()), "the statement outlives its client"


def comes_true(condition: Callable[[], bool]) -> bool:
    """Return whether a condition comes true within 15 seconds."""
    end = time.monotonic() + 15
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return holds

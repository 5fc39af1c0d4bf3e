"""Settings of a role or a database have no effect: every session of ours sets what it relies on."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from promptsales.airflow_client.registration import postgres_connection
from promptsales.connections import connected, open_async, open_beside
from promptsales.extract.opening import open_source
from promptsales.load.steps import load
from promptsales.orchestration.connections import postgres
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from promptsales.targets import PublicName
from tests.support import leads
from tests.support.foreign import foreign_settings
from tests.support.systems import empty_tables

# values of `show` in a session of ours
ALIKE = {
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "array_nulls": "on",
    "backslash_quote": "safe_encoding",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "default_transaction_isolation": "read committed",
    "extra_float_digits": "1",
    "idle_session_timeout": "0",
    "lc_monetary": "C",
    "lock_timeout": "0",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "synchronous_commit": "on",
    "transaction_timeout": "0",
    "transform_null_equals": "off",
    "xmlbinary": "base64",
    "xmloption": "content",
}
WORK = {
    "statement_timeout": "4h",
    "idle_in_transaction_session_timeout": "4h",
    "default_transaction_read_only": "off",
    "row_security": "off",
    "search_path": "public",
    "client_connection_check_interval": "2s",
}
ADMIN = WORK | {"search_path": "pg_catalog,pg_temp"}
READ = WORK | {"default_transaction_read_only": "on"}
LOOK = WORK | {"statement_timeout": "5min", "idle_in_transaction_session_timeout": "5min"}
SESSIONS: dict[PublicName | Any, dict[str, str]] = {
    "promptsales": WORK | {"search_path": "promptsales"},
    "promptads": WORK | {"search_path": "promptads"},
    "promptcrm": WORK | {"search_path": "crm"},
    "promptsales_etl": READ,
    "promptcrm_etl": READ,
    "promptads_cdc": WORK,
    "promptcrm_cdc": WORK,
    "promptads_audit": READ,
    "promptcrm_audit": READ,
    "sources_admin": ADMIN,
    "warehouse": WORK,
    "warehouse_admin": ADMIN,
    "bi": READ | {"row_security": "on"},
}


@pytest.fixture(scope="module", params=["role", "database"])
def foreign(stack: Settings, request: pytest.FixtureRequest) -> Iterator[None]:
    with foreign_settings(stack, request.param):
        yield


def shown(connection: psycopg.Connection) -> dict[str, str]:
    """Return the settings of a session that these tests compare."""
    names = [*ALIKE, *WORK]
    query = "select name, current_setting(name) from unnest(%s::text[]) as name"
    return dict(connection.execute(query, [names]).fetchall())


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_is_the_same(stack: Settings, name: Any) -> None:
    with connected(stack, name, "promptcrm" if name == "sources_admin" else None) as connection:
        assert shown(connection) == ALIKE | SESSIONS[name]


@pytest.mark.usefixtures("foreign")
def test_who_only_looks_is_not_kept_waiting_for_long(stack: Settings) -> None:
    with connected(stack, "warehouse", patience="look") as connection:
        assert shown(connection) == ALIKE | LOOK


@pytest.mark.usefixtures("foreign")
def test_the_worker_and_repairs(stack: Settings) -> None:
    async def read_settings() -> dict[str, str]:
        async with await open_async(stack, "warehouse", "look", application_name="a worker") as connection:
            names = [*ALIKE, *WORK, "application_name"]
            query = "select name, current_setting(name) from unnest(%s::text[]) as name"
            return dict(await (await connection.execute(query, [names])).fetchall())

    assert asyncio.run(read_settings()) == ALIKE | LOOK | {"application_name": "a worker"}


@pytest.mark.usefixtures("foreign")
def test_the_second_session_of_a_build(stack: Settings) -> None:
    with (
        psycopg.connect(stack.address("warehouse_admin")) as warehouse,
        open_beside(stack, "warehouse", warehouse) as second,
    ):
        assert shown(second) == ALIKE | WORK


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    ("connection_id", "name", "options"),
    [
        ("promptcrm", "promptcrm_etl", ""),
        ("promptcrm_audit", "promptcrm_audit", ""),
        ("warehouse", "warehouse", "-c DateStyle=German -c work_mem=5MB"),
        ("warehouse_admin", "warehouse_admin", ""),
    ],
)
def test_a_task_of_airflow(
    stack: Settings, monkeypatch: pytest.MonkeyPatch, connection_id: str, name: Any, options: str
) -> None:
    known = postgres_connection(connection_id, stack.address(name), "").model_dump(by_alias=True)
    del known["connection_id"]
    extra = json.loads(known["extra"]) | ({"options": options} if options else {})
    monkeypatch.setenv(f"AIRFLOW_CONN_{connection_id.upper()}", json.dumps(known | {"extra": json.dumps(extra)}))
    with postgres(connection_id) as connection:
        assert shown(connection) == ALIKE | SESSIONS[name]
        (work_mem,) = connection.execute("show work_mem").fetchone() or ()
        assert (work_mem == "5MB") is bool(options)


@pytest.mark.usefixtures("foreign")
def test_a_load_is_the_same(stack: Settings) -> None:
    feed = contract("leads")
    with connected(stack, "promptcrm") as crm, connected(stack, "warehouse_admin") as admin:
        crm.execute("truncate crm.accounts, crm.contacts, crm.leads, crm.opportunities cascade")
        empty_tables(admin)
        leads.add(crm, company_name="Café", email="Café@Example.com", phone="+49 30 1")
        leads.add_bad(crm)
        with open_source(stack, feed) as source, connected(stack, "warehouse") as loader:
            result = load(feed, source, loader, None, "test")
            assert (result.inserted, result.quarantined) == (1, 1)
            (lead,) = leads.in_core(loader).values()
            assert lead["company_name"] == "Café"
            leads.assert_equal_to_source(crm, loader, stack)

"""Whoever uses Superset reads the marts, and neither core, ops nor a source."""

from typing import Literal

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from promptsales.settings import Settings

SOURCES = ("promptsales", "promptads", "promptcrm")
REFUSED = ("core.leads", "ops.feed", "ops.quarantine", "realtime.campaign_total")


def ask(api: httpx.Client, query: str) -> httpx.Response:
    (database,) = api.get("database/").raise_for_status().json()["result"]
    asked = {"database_id": database["id"], "sql": query, "runAsync": False, "schema": "marts"}
    return api.post("sqllab/execute/", json=asked)


def test_superset_reads_marts(api: httpx.Client) -> None:
    answer = ask(api, "select count(*) as campaigns from marts.campaign").raise_for_status().json()
    assert answer["data"][0]["campaigns"] > 0


@pytest.mark.parametrize("table", REFUSED)
def test_superset_reads_nothing_else(table: str, api: httpx.Client) -> None:
    answer = ask(api, f"select * from {table} limit 1")  # noqa: S608
    assert (answer.is_error, "permission denied" in answer.text) == (True, True), answer.text


def test_superset_writes_nothing(api: httpx.Client) -> None:
    answer = ask(api, "delete from marts.campaign_pacing_daily")
    assert (answer.is_error, "CSRF" in answer.text) == (True, False)


@pytest.mark.parametrize("source", SOURCES)
def test_its_login_reaches_no_source(source: Literal["promptsales", "promptads", "promptcrm"], built: Settings) -> None:
    reader = conninfo_to_dict(built.address("bi"))
    there = make_conninfo(built.address(source), user=reader["user"], password=reader["password"])
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(there)

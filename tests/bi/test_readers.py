"""Whoever uses Superset reads the marts, and neither core, ops nor a source."""

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from promptsales.settings import Settings

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
    assert (answer.is_error, "permission denied" in answer.text) == (True, True)


def test_superset_writes_nothing(api: httpx.Client) -> None:
    assert ask(api, "delete from marts.campaign_pacing_daily").is_error


@pytest.mark.parametrize("source", ["promptsales", "promptads", "promptcrm"])
def test_its_login_reaches_no_source(source: str, built: Settings) -> None:
    reader, there = conninfo_to_dict(built.address("bi")), conninfo_to_dict(built.address(source))
    there |= {"user": reader["user"], "password": reader["password"]}
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**there)

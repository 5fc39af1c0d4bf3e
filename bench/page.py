"""Measure the Warehouse page on the running stack: each of its queries, and each page through Airflow.

Cold: the response cache is empty. Warm: it has the response. Prints tables for ``bench/RESULTS.md``. With ``fill`` as
an argument it first writes the books of a year into the stack's warehouse: use a stack that you throw away.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import redis

from promptsales.cache.responses import Responses, forget
from promptsales.feeds import manual_release
from promptsales.monitoring.books import find_in_books
from promptsales.monitoring.loads import LoadFilter, read_loads
from promptsales.settings import settings
from promptsales.specs import mart
from promptsales.specs.stream import stream_contracts
from promptsales.webui import catalogue
from promptsales.webui.reading import BOOKS, execute
from promptsales.webui.stream import CAMPAIGNS, HOURS

REPEATS, WARM_S = 10, 60
CONNECTORS = sorted({contract.source.system for contract in stream_contracts().values()})
PAGES = ("/", "/tables/core.leads", "/tables/marts.lead_attribution", "/tables/core.campaigns", "/quarantine",
         "/quarantine?feed=leads&page=2", "/loads", "/loads?since=all", "/stream", "/stream/live.json", "/dead-letters",
         "/dags/promptcrm_hourly")  # fmt: skip
_HEAD = "| {} | cold: fastest | median | max | warm: fastest | median | max |\n|---|--:|--:|--:|--:|--:|--:|"
# the statements of the pages that lie in promptsales/webui/sql
STATEMENTS: dict[str, Mapping[str, Any]] = {
    "overview": {"names": list(catalogue.tables())},
    "rules": {"name": "leads"},
    "audits": {"name": "leads"},
    "restatements": {"name": "lead_attribution"},
    "quarantine": {"feed": None, "rule": None, "limit": 50, "skip": 0},
    "row": {"id": 1},
    "actions": {"feed": None, "actions": ["release"], "limit": 10},
    "hops": {"connectors": CONNECTORS},
    "stream_history": {"connectors": CONNECTORS, "hours": HOURS},
    "letters": {"topic": None, "limit": 50, "skip": 0},
    "topics": {},
    "campaigns": {"limit": CAMPAIGNS},
}


class Figures(NamedTuple):
    """Milliseconds of one query or page; on a busy machine the fastest repeat is the one that was not interrupted."""

    fastest: float
    median: float
    longest: float

    def __str__(self) -> str:
        return f"{self.fastest:.1f} | {self.median:.1f} | {self.longest:.1f}"


def timed(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> Figures:
    """Return how long the work takes, without what is done before each repeat; the first repeat is not counted."""
    taken = []
    for _ in range(REPEATS + 1):
        before()
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return Figures(min(taken[1:]), statistics.median(taken[1:]), max(taken[1:]))


def queries(page: psycopg.Connection) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield every query of the pages."""
    for name, values in STATEMENTS.items():
        yield f"`{name}.sql`", partial(execute, page, name, values)
    yield "findings", lambda: list(find_in_books(page, settings().reporting_timezone))
    yield "recent loads of a table", lambda: read_loads(page, LoadFilter("leads"), 40)
    yield "all loads, first page", lambda: read_loads(page, LoadFilter(), 50)
    yield "quarantine by rule", lambda: [each._asdict() for each in manual_release.count_by_rule(page)]


def measure_queries() -> None:
    """Print the queries: cold they run in a session of the page's role, warm they come from Redis."""
    print(_HEAD.format("query, ms"))
    with (
        psycopg.connect(settings().address("warehouse_page"), autocommit=True) as page,
        redis.Redis.from_url(settings().address("redis"), decode_responses=True) as client,
    ):
        # as the page's own sessions, but a busy machine ends no statement
        page.execute("set jit = off; set statement_timeout = 0")
        responses = Responses(client)
        for name, compute in queries(page):
            cold = timed(compute)
            warm = timed(partial(responses.read, "bench_page", {"name": name}, BOOKS, compute, WARM_S))
            print(f"| {name} | {cold} | {warm} |", flush=True)


def measure_pages() -> None:
    """Print the pages through Airflow's API server, with login, rights and the template."""
    print(_HEAD.format("page, ms"))
    address = f"http://127.0.0.1:{settings().port('airflow')}"
    login = {"username": "viewer", "password": settings().secrets.password("airflow_viewer")}
    with (
        httpx.Client(base_url=address, trust_env=False, timeout=60) as browser,
        redis.Redis.from_url(settings().address("redis"), decode_responses=True) as client,
    ):
        answer = browser.post("/auth/token", json=login).raise_for_status()
        browser.cookies.set("_token", answer.json()["access_token"])
        for path in PAGES:
            get = partial(_get, browser, f"/warehouse{path}")
            print(f"| `{path}` | {timed(get, partial(forget, client, BOOKS))} | {timed(get)} |", flush=True)


def _get(browser: httpx.Client, path: str) -> None:
    browser.get(path).raise_for_status()


def fill() -> None:
    """Write the books of a year."""
    names = [table.name for table in catalogue.tables().values() if table.layer != "marts"]
    values = {"names": names, "marts": list(mart.tables())}
    with psycopg.connect(settings().address("warehouse_admin"), dbname="warehouse", autocommit=True) as admin:
        for statement in Path(__file__).with_name("page_books.sql").read_text(encoding="utf-8").split(";\n"):
            admin.execute(statement.encode(), values)


if __name__ == "__main__":
    if "fill" in sys.argv:
        fill()
    measure_queries()
    print()
    measure_pages()

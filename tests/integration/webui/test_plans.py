"""The queries of the pages read as little after a year as on the first day: no plan scans a whole history."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from promptsales.monitoring.loads import LoadFilter, read_loads
from promptsales.settings import Settings
from promptsales.webui.catalogue import tables
from promptsales.webui.reading import SQL

# these grow with every load, check, build and look at the stream
HISTORIES = {"check_result", "load", "mart_build", "restatement", "stream_lag", "reconciliation"}
FILL = (
    """
    insert into ops.feed (feed) select unnest(%(names)s::text[]) on conflict do nothing
    """,
    """
    insert into ops.check_result (feed, extraction, rule, expectation, on_fail, is_success, element_count,
                                  unexpected_count, checked_at)
    select name, n, 'rule ' || r, 'x', 'warn', n %% 50 > 0, 10, 0, now() - n * interval '1 hour'
    from unnest(%(names)s::text[]) name, generate_series(1, 12) r, generate_series(1, 400) n
    """,
    """
    insert into ops.load (feed, extraction, mode, read_at, extracted, inserted, updated, unchanged, quarantined,
                          suppressed, checks_passed, checks_failed, triggered_by, started_at, published_at)
    select name, n, 'delta', now(), 1, 1, 0, 0, 0, 0, 1, 0, 'airflow:d/scheduled__1', now(),
           now() - n * interval '1 hour'
    from unnest(%(names)s::text[]) name, generate_series(1, 2000) n
    """,
    """
    insert into ops.mart_build (mart, is_full, ranges, staged, inserted, updated, deleted, restated, checks_passed,
                                checks_failed, triggered_by, started_at, published_at)
    select name, false, '{}', 1, 1, 0, 0, 0, 1, 0, 'airflow:d/scheduled__1', now(), now() - n * interval '1 hour'
    from unnest(%(names)s::text[]) name, generate_series(1, 2000) n
    """,
    """
    insert into ops.restatement (mart, grain, old_values, new_values)
    select name, '{}', '{}', '{}' from unnest(%(names)s::text[]) name, generate_series(1, 2000)
    """,
    """
    insert into ops.stream_lag (connector, noted_at, bus_events)
    select c, now() - n * interval '1 minute', 0
    from unnest('{promptads,promptcrm}'::text[]) c, generate_series(1, 20000) n
    """,
)


@pytest.fixture
def after_a_year(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    names = list(tables())[:12]
    for statement in FILL:
        admin.execute(statement.encode(), {"names": names})
    admin.execute("analyze ops.check_result, ops.load, ops.mart_build, ops.restatement, ops.stream_lag")
    with psycopg.connect(stack.address("warehouse_page"), autocommit=True) as reader:
        yield reader


def scanned(node: dict[str, Any]) -> Iterator[str]:
    """Yield the relations that a plan reads from end to end."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from scanned(child)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("overview", {"names": list(tables())}),
        ("rules", {"name": "leads"}),
        ("restatements", {"name": "leads"}),
        ("audits", {"name": "leads"}),
        ("stream_history", {"connectors": ["promptads"], "hours": 6}),
        ("hops", {"connectors": ["promptads", "promptcrm"]}),
    ],
)
def test_no_plan_scans_a_history(after_a_year: psycopg.Connection, query: str, values: dict[str, Any]) -> None:
    text = (SQL / f"{query}.sql").read_text(encoding="utf-8")
    ((plan,),) = after_a_year.execute(f"explain (format json) {text}".encode(), values).fetchall()
    assert HISTORIES & set(scanned(plan[0]["Plan"])) - {"reconciliation"} == set()


def test_the_newest_loads_are_found_by_their_time(after_a_year: psycopg.Connection) -> None:
    now = after_a_year.execute("select now() - interval '1 day'").fetchone() or (None,)
    page = read_loads(after_a_year, LoadFilter(since=now[0]), 50)
    # 23 whole hours lie within the last day, in twelve feeds and as many marts
    assert (len(page.loads), page.total) == (50, 23 * 24)
    assert [load.published_at for load in page.loads] == sorted(
        (load.published_at for load in page.loads), reverse=True
    )

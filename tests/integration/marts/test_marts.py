"""Every mart equals, cell by cell, an independent statement over core, however it was built."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from promptsales.errors import TerminalError
from promptsales.marts.crosscheck import cross_check
from promptsales.specs.mart import tables
from tests.integration.marts.conftest import Build
from tests.integration.provision.conftest import Connect
from tests.support.core_rows import put, uid
from tests.support.metrics import differing_metrics

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
AS_OF_DAY = date(2024, 3, 10)


def fill(admin: psycopg.Connection) -> None:
    admin.execute((HERE / "generated.sql").read_bytes())


def differing(admin: psycopg.Connection, as_of_day: date = AS_OF_DAY, zone: str = "UTC") -> dict[str, list[Any]]:
    """Return, by mart, the rows that only the mart or only its statement has."""
    differences = {path.stem: _differing(admin, path.stem, as_of_day, zone) for path in sorted(EXPECTED.glob("*.sql"))}
    return {name: rows for name, rows in differences.items() if rows}


def _differing(admin: psycopg.Connection, name: str, as_of_day: date, zone: str = "UTC") -> list[Any]:
    mart, expected = sql.Identifier("marts", name), sql.Identifier("wanted")
    admin.execute(sql.SQL("create temp table wanted (like {})").format(mart))
    statement = (EXPECTED / f"{name}.sql").read_text(encoding="utf-8")
    statement = statement.replace("'UTC'", f"'{zone}'")
    admin.execute(b"insert into wanted " + statement.encode(), {"as_of_day": as_of_day})
    query = "(table {0} except all table {1}) union all (table {1} except all table {0})"
    rows = admin.execute(sql.SQL(query).format(mart, expected)).fetchall()
    admin.execute("drop table wanted")
    return rows


def counts(admin: psycopg.Connection) -> dict[str, int]:
    return {
        name: admin.execute(sql.SQL("select count(*) from {}").format(sql.Identifier("marts", name))).fetchall()[0][0]
        for name in tables()
    }


def touch(admin: psycopg.Connection, core_table: str, entity: str, day: str) -> None:
    admin.execute(
        "insert into ops.touched (core_table, entity_id, day) values (%s, %s, %s) on conflict do nothing",
        [core_table, entity, day],
    )


def test_every_mart_equals_its_statement(admin: psycopg.Connection, connect: Connect, run: Build) -> None:
    fill(admin)
    built = run()
    assert list(built) == list(tables())
    assert tables().keys() <= {path.stem for path in EXPECTED.glob("*.sql")}
    assert differing(admin) == {}
    assert differing_metrics(admin) == {}
    assert admin.execute("""
        select is_allocated, count(*) > 50 from marts.creative_performance_daily group by 1 order by 1
    """).fetchall() == [(False, True), (True, True)]
    assert {name: n for name, n in counts(admin).items() if n < 5} == {}
    # built twice: no cell changes
    again = run(is_full=True)
    assert {(result.inserted, result.updated, result.deleted, result.restated) for result in again.values()} == {
        (0, 0, 0, 0)
    }
    # nothing was touched: nothing is built
    assert run() == {}
    _numbers_tie(connect, admin)
    _late_and_changed_facts(admin, run)
    _dropped_link(admin, run)
    _next_day(admin, run)


def _numbers_tie(connect: Connect, admin: psycopg.Connection) -> None:
    """Check that the daily cross-checks pass, and that they report the smallest change of a cell."""
    with connect("warehouse_loader") as warehouse:
        assert [breach for breach in cross_check(warehouse, "UTC") if not breach.is_warning] == []
        admin.execute(
            "update marts.campaign_performance_daily set spend = spend + 0.0001 where date_day = '2024-02-01'"
        )
        assert {breach.rule for breach in cross_check(warehouse, "UTC") if not breach.is_warning} == {
            "campaign_days_equal_core", "hours_equal_days",
        }  # fmt: skip
        admin.execute(
            "update marts.campaign_performance_daily set spend = spend - 0.0001 where date_day = '2024-02-01'"
        )


def _late_and_changed_facts(admin: psycopg.Connection, run: Build) -> None:
    """A late fact restates its day only; a rename its month only; a cancelled subscription moves its months."""
    put(admin, "core.campaign_metrics", [{
        "metric_id": 9001, "campaign_id": "c1", "metric_at": "2024-01-31T23:59:59.999999Z", "impressions": 7,
        "clicks": 1, "spend": "0.0001", "conversions": 0,
    }])  # fmt: skip
    touch(admin, "campaign_metrics", str(uid("c1")), "2024-01-31")
    admin.execute(
        "update core.campaigns set name = 'Renamed', _loaded_at = clock_timestamp() where campaign_id = %s", [uid("c4")]
    )
    admin.execute(
        "update core.campaigns_history set valid_to = '2024-03-11 04:00+00' where campaign_id = %s", [uid("c4")]
    )
    put(
        admin,
        "core.campaigns_history",
        [{"campaign_id": "c4", "name": "Renamed", "valid_from": "2024-03-11T04:00Z", "valid_to": "infinity"}],
    )
    admin.execute("update core.subscriptions set ends_at = '2024-02-15' where subscription_id = %s", [uid("s1")])
    touch(admin, "subscriptions", str(uid("u1")), "2023-11-15")
    admin.execute("update core.opportunities set amount = 1, probability = 1 where opportunity_id = %s", [uid("o2")])
    touch(admin, "opportunities", str(uid("o2")), "2024-01-06")
    _late_ad_and_link(admin)
    built = run()
    admin.execute(
        "update core.campaigns_history h set budget = 1004, starts_at = c.starts_at "
        "from core.campaigns c where c.campaign_id = h.campaign_id and h.name = 'Renamed'"
    )
    assert differing(admin) == {}
    daily = built["campaign_performance_daily"]
    assert (daily.staged < 40, daily.updated, daily.restated) == (True, 1, 1)
    assert admin.execute("""
        select "grain"->>'date_day', old_values->>'spend' < new_values->>'spend',
               (new_values->>'impressions')::int - (old_values->>'impressions')::int
        from ops.restatement where mart = 'campaign_performance_daily'
    """).fetchall() == [("2024-01-31", True, 7)]
    assert "ai_cost_daily" not in built
    assert admin.execute(
        "select count(*) from marts.campaign_performance_daily where campaign_name = 'Renamed'"
    ).fetchall() == [(0,)]
    assert admin.execute("select count(*) from marts.campaign where campaign_name = 'Renamed'").fetchall() == [(1,)]
    # the month in which the campaign was renamed had not ended, and every lead was created before
    assert admin.execute("""
        select month_start_date::text, campaign_name from marts.campaign_funnel_cohort where campaign_id = %s order by 1
    """, [uid("c4")]).fetchall() == [
        ("2024-01-01", "Campaign 4"), ("2024-02-01", "Campaign 4"), ("2024-03-01", "Renamed"),
    ]  # fmt: skip
    assert admin.execute("select count(*) from marts.lead_attribution where campaign_name = 'Renamed'").fetchall() == [
        (0,)
    ]


def _late_ad_and_link(admin: psycopg.Connection) -> None:
    """Add an ad that shares its campaign's days from its creation on, and link a prompt of February to an asset."""
    ad = {"ad_id": "a77", "status": "active", "content_id": "asset1", "ad_group_id": "g9"}
    put(admin, "core.ads", [{**ad, "created_at": "2024-03-05T00:00Z", "_loaded_at": "now"}])
    put(admin, "core.ads_history", [{**ad, "valid_from": "-infinity", "valid_to": "infinity"}])
    admin.execute("update core.content_assets set prompt_history_id = 'prompt400' where asset_id = 'asset6'")
    touch(admin, "content_assets", "asset6", "2024-01-07")


def _dropped_link(admin: psycopg.Connection, run: Build) -> None:
    """Unlink a prompt of January from an asset of March: its cost is then linked to nothing."""
    admin.execute("""
        update core.content_assets_history set prompt_history_id = 'prompt95'
        where asset_id = 'asset95' and valid_to < 'infinity'
    """)
    admin.execute("update core.content_assets set prompt_history_id = null where asset_id = 'asset95'")
    touch(admin, "content_assets", "asset95", "2024-03-10")
    run("content_production_monthly")
    assert differing(admin) == {}


def _next_day(admin: psycopg.Connection, run: Build) -> None:
    """Let a day pass: a day becomes complete, another is no longer provisional, cohorts get older."""
    built = run(as_of=datetime(2024, 3, 12, 5, tzinfo=UTC))
    assert differing(admin, date(2024, 3, 11)) == {}
    assert built["campaign_performance_daily"].staged < 80


def test_an_empty_warehouse(admin: psycopg.Connection, run: Build) -> None:
    assert {(result.mart, result.staged) for result in run().values()} == {(name, 0) for name in tables()}


def test_a_blocked_mart_and_a_failed_input_change_nothing(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    run("subscription_mrr_monthly", "ai_cost_daily")
    before = counts(admin)
    put(
        admin,
        "core.subscriptions",
        [{"subscription_id": "s99", "user_id": "u1", "plan_type": "gold", "starts_at": "2024-01-01T00:00Z"}],
    )
    put(
        admin,
        "core.subscriptions_history",
        [{"subscription_id": "s99", "plan_type": "gold", "valid_from": "-infinity", "valid_to": "infinity"}],
    )
    with pytest.raises(TerminalError, match=r"mart subscription_mrr_monthly: not published, .* mrr_missing \(3 rows\)"):
        run("subscription_mrr_monthly", is_full=True)
    admin.execute("""
        insert into ops.check_result (feed, rule, expectation, on_fail, is_success)
        values ('prompts', 'prompt_id_twice', 'e', 'block', false)
    """)
    assert run("ai_cost_daily", is_full=True) == {}
    assert counts(admin) == before


def test_readers_read_marts_and_nothing_else(admin: psycopg.Connection, connect: Connect, run: Build) -> None:
    fill(admin)
    run("campaign_performance_daily")
    put_minute = """
        insert into realtime.campaign_minute (campaign_id, minute, impressions, clicks, spend, conversions, version)
        select %s, at::timestamptz, 10, 1, 2.5, 0, 1
        from unnest(array['2024-03-10 23:59+00', '2024-03-11 00:00+00', '2024-03-11 04:00+00']) at
    """
    admin.execute(put_minute, [uid("c1")])
    with connect("bi") as reader:
        assert reader.execute("""
            select date_day::text, spend, cpc, is_closed from marts.campaign_performance_today
            where campaign_id = %s and date_day >= '2024-03-11'
        """, [uid("c1")]).fetchall() == [("2024-03-11", 5, 2.5, False)]  # fmt: skip
        closed = reader.execute("select count(*) from marts.campaign_performance_today where is_closed").fetchall()
        assert closed == reader.execute("select count(*) from marts.campaign_performance_daily").fetchall()
        fresh = reader.execute("select table_name, last_batch_status from marts.data_freshness").fetchall()
        assert fresh == [("campaign_performance_daily", "warned")]  # more clicks than impressions were planted
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select * from core.campaigns")


def test_a_range_is_rebuilt_as_asked(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    run("campaign_performance_daily")
    admin.execute("delete from marts.campaign_performance_daily where date_day between '2024-02-01' and '2024-02-03'")
    window = (date(2024, 2, 1), date(2024, 2, 3))
    built = run("campaign_performance_daily", window=window)["campaign_performance_daily"]
    assert built.inserted == built.staged > 0
    assert {row[1] for row in _differing(admin, "campaign_performance_daily", AS_OF_DAY)} == {date(2024, 2, 3)}

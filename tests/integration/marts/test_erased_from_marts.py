"""A person is erased from the warehouse; its marts keep the figures of the business, without the person."""

from typing import Any

import psycopg
import pytest

from promptsales.erasure import removal
from promptsales.erasure.suppression import BUILD_LOCK
from promptsales.errors import TransientError
from promptsales.marts.plan import BuildRequest, plan
from promptsales.privacy import erasure
from promptsales.privacy.person import find
from promptsales.settings import Settings
from promptsales.specs.mart import mart
from tests.integration.marts.conftest import AS_OF, Build
from tests.integration.marts.test_marts import differing, fill, touch
from tests.integration.privacy.test_erasure import NOBODY, whole
from tests.integration.provision.conftest import Connect
from tests.support.core_rows import uid

# a lead with a deal, a deal of another lead, an account with several deals
ROWS = {"leads": "l12", "opportunities": "o24", "accounts": "account1"}


def erase(admin: psycopg.Connection, feed: str, name: str) -> erasure.Report:
    return erasure.erase(admin, find(admin, str(uid(name)), feed))


def figures(admin: psycopg.Connection) -> list[Any]:
    """Return the figures that do not depend on the person."""
    return admin.execute("""
        select (select sum(mrr) from marts.subscription_mrr_monthly),
               (select sum(cost) from marts.ai_cost_daily),
               (select sum(won_amount) from marts.sales_performance_monthly),
               (select sum(open_amount) from marts.sales_pipeline_daily),
               (select sum(spend) from marts.campaign_performance_daily)
    """).fetchall()


def of_nobody(admin: psycopg.Connection) -> list[Any]:
    return admin.execute(
        """
        select exists (select from marts.subscription_mrr_monthly where user_id = %(nobody)s),
               exists (select from marts.ai_cost_daily where user_id = %(nobody)s),
               exists (select from marts.sales_performance_monthly where owner_user_id = %(nobody)s),
               exists (select from marts.sales_pipeline_daily where owner_user_id = %(nobody)s),
               exists (select from marts.campaign_performance_daily where user_id = %(nobody)s)
        """,
        {"nobody": NOBODY},
    ).fetchall()


def test_the_person_goes_and_the_figures_stay(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    run()
    ((mrr, cost, *rest),) = figures(admin)
    assert of_nobody(admin) == [(False,) * 5]
    more = _days_that_wait(admin)
    assert erase(admin, "users", "u1").left == 0
    assert str(uid("u1")) not in whole(admin)
    run()
    assert differing(admin) == {}
    assert of_nobody(admin) == [(True,) * 5]
    assert figures(admin) == [(mrr, cost + more, *rest)]
    assert str(uid("u1")) not in whole(admin)
    # rows are deleted, not only ids, so views on them and marts built from them change
    for feed, name in ROWS.items():
        erase(admin, feed, name)
    run()
    assert differing(admin) == {}
    text = whole(admin)
    assert [name for name in ROWS.values() if str(uid(name)) in text] == []


def _days_that_wait(admin: psycopg.Connection) -> int:
    """Make each prompt of the user cost one more, which no build has read yet; return the sum of these costs."""
    query = "update core.prompts set cost_amount = cost_amount + 1 where user_id = %s and cost_amount is not null"
    count = admin.execute(query, [uid("u1")]).rowcount
    admin.execute("""
        insert into ops.touched (core_table, entity_id, day)
        select distinct 'prompts', user_id::text, (prompted_at at time zone 'UTC')::date from core.prompts
    """)
    return count


def test_a_build_and_an_erasure_exclude_one_another(
    admin: psycopg.Connection, connect: Connect, run: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(admin)
    monkeypatch.setattr(removal, "_LOCK_TIMEOUT", "set local lock_timeout = '500ms'")
    with connect("warehouse_loader") as building:
        building.execute("select pg_advisory_lock(%s)", [BUILD_LOCK])
        with pytest.raises(TransientError, match="a build of marts or a load has been running"):
            erase(admin, "users", "u1")
        assert str(uid("u1")) in whole(admin)
        building.execute("select pg_advisory_unlock(%s)", [BUILD_LOCK])
    with admin.transaction():
        erase(admin, "users", "u1")
        # the erasure has not committed, so no build starts
        with pytest.raises(TransientError):
            run()
    assert str(uid("u1")) not in whole(admin)


def test_days_touched_by_another_role_hold_the_frontier(
    stack: Settings, admin: psycopg.Connection, connect: Connect
) -> None:
    with connect("warehouse_loader") as warehouse, admin.transaction():
        ai_cost, asked = mart("ai_cost_daily"), BuildRequest(AS_OF, "test")
        assert plan(ai_cost, warehouse, stack, asked).is_full
        touch(admin, "prompts", "*", "2024-01-01")
        with pytest.raises(TransientError, match="a session of a role other than the loader's"):
            plan(ai_cost, warehouse, stack, asked)

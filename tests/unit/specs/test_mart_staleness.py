"""A mart may be as old as the feeds it is built from."""

from datetime import timedelta

import pytest

from promptsales.specs import mart
from promptsales.specs.feed import contracts


def test_a_mart_of_a_daily_feed_is_stale_after_four_days(monkeypatch: pytest.MonkeyPatch) -> None:
    daily = contracts()["leads"].model_copy(update={"expected_every": timedelta(days=1)})
    monkeypatch.setattr(mart, "contracts", lambda: contracts() | {"leads": daily})
    limits = {name: table.stale_after for name, table in mart.tables().items()}
    # campaign_funnel_cohort is built from lead_attribution, and that from leads
    assert limits["lead_attribution"] == limits["campaign_funnel_cohort"] == timedelta(days=4)
    assert limits["ai_cost_daily"] == timedelta(hours=4)

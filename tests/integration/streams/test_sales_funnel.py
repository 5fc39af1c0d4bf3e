"""The live funnel: which campaign a lead and a deal are credited to."""

from typing import Any
from uuid import UUID

import psycopg

from tests.integration.streams.conftest import Apply
from tests.support.events import message

OF_LEAD, OF_DEAL, LEAD, BARE_LEAD, GONE_LEAD = (str(UUID(int=number)) for number in range(1, 6))
LEADS, DEALS = "promptcrm.crm.leads", "promptcrm.crm.opportunities"
AT = "2026-05-28T20:00:00Z"
WHEN = {"created_at": AT, "updated_at": AT}


def lead(key: str, campaign: str | None, **more: Any) -> dict[str, Any]:
    row = {"id": key, "campaign_id": campaign, "status": "new", "merged_into_id": None}
    return row | {"qualified_at": None, "converted_at": None, "deleted_at": None} | WHEN | more


def deal(number: int, source: str | None, campaign: str | None, **more: Any) -> dict[str, Any]:
    key, stage = (str(UUID(int=one)) for one in (number, 9))
    money = {"amount": "1.00", "currency_code": "USD"}
    row = {"id": key, "source_lead_id": source, "campaign_id": campaign, "stage_id": stage, "merged_into_id": None}
    return row | {"closed_at": None, "deleted_at": None} | money | WHEN | more


def test_a_deal_is_credited_to_its_lead_s_campaign_else_to_its_own(apply: Apply, warehouse: psycopg.Connection) -> None:
    leads = [lead(LEAD, OF_LEAD), lead(BARE_LEAD, None), lead(GONE_LEAD, OF_LEAD, deleted_at=AT)]
    deals = [
        deal(20, LEAD, OF_DEAL),
        deal(21, LEAD, None),
        deal(22, BARE_LEAD, OF_DEAL, closed_at=AT),
        deal(23, None, OF_DEAL),
        deal(24, None, None),
        deal(25, GONE_LEAD, OF_DEAL),  # a deleted lead still counts as the deal's origin
        deal(26, LEAD, OF_DEAL, deleted_at=AT),
    ]
    apply([message("c", row, at, topic=LEADS) for at, row in enumerate(leads, 1)])
    apply([message("c", row, at, topic=DEALS) for at, row in enumerate(deals, 10)])
    found = warehouse.execute("""
        select campaign_id::text, leads, open_deals, closed_deals from realtime.sales_funnel order by campaign_id
    """)
    assert found.fetchall() == [(OF_LEAD, 1, 3, 0), (OF_DEAL, 0, 1, 1), (None, 1, 1, 0)]

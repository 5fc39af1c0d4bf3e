"""Live traffic: one function per kind of event, one transaction per event.

Personal data is written with COPY or stays inside the database (insert .. select); texts and parameters of statements
hold only ids and figures.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import redis
from bson import ObjectId
from pymongo.database import Database

from promptsales.seed.accounts import WON, stages
from promptsales.seed.campaigns import Flight, active_flights
from promptsales.seed.copying import Tally, copy_rows, statement
from promptsales.seed.deals import new_activity, new_opportunity, next_stage
from promptsales.seed.leads import new_lead
from promptsales.seed.metrics import AdMetric, CampaignMetric, measures, pace
from promptsales.seed.promptcontent import Document, draft
from promptsales.seed.promptsales import Subscription, new_user
from promptsales.seed.sessions import response, session, write
from promptsales.seed.world import World, naive, new_id

_MOST_CANDIDATES = 2_000
_INSTANT = 1 / 2_000  # share of a campaign's day that one event reports


@dataclass
class OpenLead:
    """A lead that events can change."""

    id: UUID
    owner_user_id: UUID
    status: str


@dataclass
class Deal:
    """An opportunity that events can move; ``stage`` is the position of its stage."""

    id: UUID
    owner_user_id: UUID
    stage: int
    amount: Decimal | None


@dataclass
class Systems:
    """Open connections to every system, and the rows that events can change."""

    world: World
    rng: Random
    core: psycopg.Connection
    ads: psycopg.Connection
    crm: psycopg.Connection
    content: Database[Document]
    cache: "redis.Redis"
    tally: Tally
    leads: deque[OpenLead] = field(default_factory=lambda: deque(maxlen=_MOST_CANDIDATES))
    deals: deque[Deal] = field(default_factory=lambda: deque(maxlen=_MOST_CANDIDATES))
    drafts: deque[ObjectId] = field(default_factory=lambda: deque(maxlen=_MOST_CANDIDATES))

    def now(self) -> datetime:
        """Return the time of the CRM's clock, so that our timestamps fit those of its triggers."""
        row = self.crm.execute("select clock_timestamp()").fetchone()
        assert row is not None  # noqa: S101 -- a select without a from has one row
        now: datetime = row[0]
        return now.astimezone(UTC)

    def pick_flight(self) -> Flight:
        """Return a random campaign that is running."""
        return self.rng.choice(active_flights(self.world))

    def unique(self) -> str:
        """Return a random text that makes an e-mail address unique."""
        return f"{self.rng.getrandbits(48):x}"

    def change(self, connection: psycopg.Connection, table: str, name: str, values: Mapping[str, Any]) -> int:
        """Execute a statement in the open transaction or one of its own; return the number of rows changed."""
        rows = connection.execute(statement(name), values).rowcount
        if rows:
            self.tally.add(table, rows)
        return rows


Event = Callable[[Systems], None]


def add_leads(systems: Systems) -> None:
    """Add one lead or a few."""
    at, count = systems.now(), systems.rng.choice((1, 1, 1, 2, 5))
    leads = [new_lead(systems.world, systems.rng, systems.unique(), at) for _ in range(count)]
    with systems.crm.transaction():
        copy_rows(systems.crm, "crm.leads", leads, systems.tally)
    systems.leads.extend(OpenLead(lead.id, lead.owner_user_id, lead.status) for lead in leads)


def advance_lead(systems: Systems) -> None:
    """Move a lead to working, qualified or disqualified; convert a qualified one."""
    if not systems.leads:
        return
    lead = systems.leads.popleft()
    if lead.status == "qualified":
        return _convert(systems, lead)
    after = "working" if lead.status == "new" else systems.rng.choice(("qualified", "disqualified"))
    values = {"id": lead.id, "before": lead.status, "status": after}
    if systems.change(systems.crm, "crm.leads", "advance_lead", values) and after != "disqualified":
        systems.leads.append(OpenLead(lead.id, lead.owner_user_id, after))


def _convert(systems: Systems, lead: OpenLead) -> None:
    """Write four tables in one transaction; roll back when the person is already a contact."""
    rng, at = systems.rng, systems.now()
    deal = new_opportunity(systems.world, rng, lead.owner_user_id, at)
    ids = {"id": lead.id, "account_id": new_id(rng), "contact_id": new_id(rng), "opportunity_id": deal.id}
    deal = deal._replace(account_id=ids["account_id"], primary_contact_id=ids["contact_id"], source_lead_id=lead.id)
    tally = Tally(lambda _: None)
    with systems.crm.transaction():
        systems.crm.execute(statement("convert_account"), ids)
        if not systems.crm.execute(statement("convert_contact"), ids).rowcount:
            raise psycopg.Rollback
        copy_rows(systems.crm, "crm.opportunities", [deal], tally)
        if not systems.crm.execute(statement("convert_lead"), ids).rowcount:
            raise psycopg.Rollback
        for table in ("accounts", "contacts", "leads", "opportunity_stage_history"):
            tally.add(f"crm.{table}", 1)
    systems.tally.merge(tally)
    systems.deals.append(Deal(deal.id, deal.owner_user_id, 0, deal.amount))


def erase_lead(systems: Systems) -> None:
    """Erase a lead, as on request of the person."""
    if systems.leads:
        systems.change(systems.crm, "crm.leads", "erase_lead", {"id": systems.leads.pop().id})


def move_deal(systems: Systems) -> None:
    """Move an opportunity to another stage."""
    if not systems.deals:
        return
    deal = systems.deals.popleft()
    deal.stage = next_stage(systems.rng, deal.stage)
    values = {
        "opportunity_id": deal.id,
        "user_id": deal.owner_user_id,
        "stage_id": stages(systems.world)[deal.stage].id,
        "entered_at": systems.now(),
        "amount": deal.amount,
        "lost_reason": "timing" if deal.stage > WON else None,
    }
    with systems.crm.transaction():
        moved = systems.change(systems.crm, "crm.opportunities", "move_opportunity", values)
        systems.tally.add("crm.opportunity_stage_history", moved)
    if deal.stage < WON:
        systems.deals.append(deal)


def add_activity(systems: Systems) -> None:
    """Add a call, an e-mail or a meeting about a lead."""
    if not systems.leads:
        return
    lead = systems.rng.choice(systems.leads)
    activity = new_activity(systems.world, systems.rng, lead.owner_user_id, systems.now())
    occurred_at = activity.occurred_at and activity.created_at
    completed_at = activity.completed_at and occurred_at
    row = activity._replace(lead_id=lead.id, occurred_at=occurred_at, completed_at=completed_at)
    with systems.crm.transaction():
        copy_rows(systems.crm, "crm.activities", [row], systems.tally)


def add_metrics(systems: Systems) -> None:
    """Add metrics of some campaigns and their ads, in one transaction."""
    rng, at = systems.rng, naive(systems.now())
    campaign_rows, ad_rows = [], []
    for flight in {systems.pick_flight() for _ in range(rng.randint(1, 4))}:
        values = measures(rng, pace(systems.world, flight), _INSTANT)
        campaign_rows.append(CampaignMetric(flight.campaign.id, at, *values))
        ad_rows.append(AdMetric(rng.choice(flight.ads).id, at, *values))
    with systems.ads.transaction():
        copy_rows(systems.ads, "promptads.campaign_metrics", campaign_rows, systems.tally)
        copy_rows(systems.ads, "promptads.ad_metrics", ad_rows, systems.tally)


def correct_metric(systems: Systems) -> None:
    """Correct a metric, as the ad platform does later."""
    systems.change(systems.ads, "promptads.campaign_metrics", "correct_metric", {})


def edit_budget(systems: Systems) -> None:
    """Change the budget of a campaign."""
    factor = Decimal(systems.rng.choice(("0.9", "1.1", "1.25")))
    values = {"id": systems.pick_flight().campaign.id, "factor": factor}
    systems.change(systems.ads, "promptads.campaigns", "edit_budget", values)


def pause_campaign(systems: Systems) -> None:
    """Pause or resume a campaign."""
    systems.change(systems.ads, "promptads.campaigns", "pause_campaign", {"id": systems.pick_flight().campaign.id})


def add_asset(systems: Systems) -> None:
    """Add a prompt and the draft that it created."""
    prompt, asset = draft(systems.world, systems.world.scale.assets + systems.rng.getrandbits(40), systems.now())
    systems.content.prompt_history.insert_one(prompt)
    systems.content.content_assets.insert_one(asset)
    systems.tally.add("promptcontent.prompt_history", 1)
    systems.tally.add("promptcontent.content_assets", 1)
    systems.drafts.append(asset["_id"])


def approve_asset(systems: Systems) -> None:
    """Approve a draft."""
    if not systems.drafts:
        return
    at = systems.now()
    approved = {"$set": {"status": "approved", "approved_at": at, "updated_at": at}}
    systems.content.content_assets.update_one({"_id": systems.drafts.popleft(), "status": "draft"}, approved)
    systems.tally.add("promptcontent.content_assets", 1)


def add_user(systems: Systems) -> None:
    """Add a user with a subscription, in one transaction."""
    at = systems.now()
    user = new_user(systems.world, systems.rng, systems.unique(), "viewer", at)
    plan = Subscription(new_id(systems.rng), user.id, "basic", "active", naive(at), None)
    with systems.core.transaction():
        copy_rows(systems.core, "promptsales.users", [user], systems.tally)
        copy_rows(systems.core, "promptsales.subscriptions", [plan], systems.tally)


def cancel_subscription(systems: Systems) -> None:
    """Cancel a subscription."""
    systems.change(systems.core, "promptsales.subscriptions", "cancel_subscription", {})


def add_session(systems: Systems) -> None:
    """Add a session and an API response to the cache."""
    entries = (session(systems.world, systems.rng), response(systems.world, systems.rng))
    write(systems.cache, entries, systems.tally)


# relative frequencies
EVENTS: dict[Event, int] = {
    add_metrics: 30,
    add_leads: 20,
    advance_lead: 15,
    add_activity: 8,
    move_deal: 8,
    add_session: 5,
    add_asset: 4,
    correct_metric: 3,
    approve_asset: 3,
    edit_budget: 2,
    pause_campaign: 1,
    add_user: 1,
    cancel_subscription: 1,
    erase_lead: 1,
}

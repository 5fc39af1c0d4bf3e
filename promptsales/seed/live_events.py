"""What happens in the systems while they live: one function an event, one transaction each.

Values of persons go in by COPY or stay inside the database (insert .. select); a statement's text or parameters hold
ids and figures only.
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
from promptsales.seed.campaigns import Running, active
from promptsales.seed.copying import Tally, copy_rows, statement
from promptsales.seed.deals import new_activity, new_opportunity, next_stage
from promptsales.seed.leads import new_lead
from promptsales.seed.metrics import AdMetric, CampaignMetric, measures, pace
from promptsales.seed.promptcontent import Document, draft
from promptsales.seed.promptsales import Subscription, new_user
from promptsales.seed.sessions import response, session, write
from promptsales.seed.world import World, naive, new_id

_REMEMBERED = 2_000
_INSTANT = 1 / 2_000  # share of a campaign's day that one event reports


@dataclass
class OpenLead:
    """A lead that may go on."""

    id: UUID
    owner_user_id: UUID
    status: str


@dataclass
class Deal:
    """An opportunity that may go on; ``stage`` is the position of its stage."""

    id: UUID
    owner_user_id: UUID
    stage: int
    amount: Decimal | None


@dataclass
class Systems:
    """Open connections to every system, and what of them an event needs to know."""

    world: World
    rng: Random
    core: psycopg.Connection
    ads: psycopg.Connection
    crm: psycopg.Connection
    content: Database[Document]
    cache: "redis.Redis"
    tally: Tally
    leads: deque[OpenLead] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    deals: deque[Deal] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    drafts: deque[ObjectId] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def now(self) -> datetime:
        """The CRM's clock: stamps of ours never lie before or after its own."""
        row = self.crm.execute("select clock_timestamp()").fetchone()
        assert row is not None  # noqa: S101 -- a select without a from has one row
        found: datetime = row[0]
        return found.astimezone(UTC)

    def campaign(self) -> Running:
        """Some campaign that runs."""
        return self.rng.choice(active(self.world))

    def unique(self) -> str:
        """What keeps an e-mail address apart from all others."""
        return f"{self.rng.getrandbits(48):x}"

    def change(self, connection: psycopg.Connection, table: str, name: str, values: Mapping[str, Any]) -> int:
        """Execute one of our statements in the transaction that is open, or one of its own; the rows it changed."""
        rows = connection.execute(statement(name), values).rowcount
        if rows:
            self.tally.add(table, rows)
        return rows


Event = Callable[[Systems], None]


def leads_arrive(systems: Systems) -> None:
    """One lead, or a few at once."""
    at, count = systems.now(), systems.rng.choice((1, 1, 1, 2, 5))
    found = [new_lead(systems.world, systems.rng, systems.unique(), at) for _ in range(count)]
    with systems.crm.transaction():
        copy_rows(systems.crm, "crm.leads", found, systems.tally)
    systems.leads.extend(OpenLead(lead.id, lead.owner_user_id, lead.status) for lead in found)


def lead_advances(systems: Systems) -> None:
    """A lead is worked on, qualified or given up; a qualified one is converted."""
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
    """One transaction over four tables; nothing of it happens when the person is a contact already."""
    rng, at = systems.rng, systems.now()
    deal = new_opportunity(systems.world, rng, lead.owner_user_id, at)
    ids = {"id": lead.id, "account_id": new_id(rng), "contact_id": new_id(rng), "opportunity_id": deal.id}
    deal = deal._replace(account_id=ids["account_id"], primary_contact_id=ids["contact_id"], source_lead_id=lead.id)
    counted = Tally(lambda _: None)
    with systems.crm.transaction():
        systems.crm.execute(statement("convert_account"), ids)
        if not systems.crm.execute(statement("convert_contact"), ids).rowcount:
            raise psycopg.Rollback
        copy_rows(systems.crm, "crm.opportunities", [deal], counted)
        if not systems.crm.execute(statement("convert_lead"), ids).rowcount:
            raise psycopg.Rollback
        for table in ("accounts", "contacts", "leads", "opportunity_stage_history"):
            counted.add(f"crm.{table}", 1)
    systems.tally.merge(counted)
    systems.deals.append(Deal(deal.id, deal.owner_user_id, 0, deal.amount))


def lead_is_erased(systems: Systems) -> None:
    """A person asks to be forgotten."""
    if systems.leads:
        systems.change(systems.crm, "crm.leads", "erase_lead", {"id": systems.leads.pop().id})


def deal_moves(systems: Systems) -> None:
    """An opportunity enters another stage."""
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


def somebody_acts(systems: Systems) -> None:
    """A call, an e-mail, a meeting about a lead."""
    if not systems.leads:
        return
    lead = systems.rng.choice(systems.leads)
    activity = new_activity(systems.world, systems.rng, lead.owner_user_id, systems.now())
    happened = activity.occurred_at and activity.created_at
    row = activity._replace(lead_id=lead.id, occurred_at=happened, completed_at=activity.completed_at and happened)
    with systems.crm.transaction():
        copy_rows(systems.crm, "crm.activities", [row], systems.tally)


def metrics_arrive(systems: Systems) -> None:
    """The ad platform reports on some campaigns and their ads, in one transaction."""
    rng, at = systems.rng, naive(systems.now())
    of_campaigns, of_ads = [], []
    for ran in {systems.campaign() for _ in range(rng.randint(1, 4))}:
        found = measures(rng, pace(systems.world, ran), _INSTANT)
        of_campaigns.append(CampaignMetric(ran.campaign.id, at, *found))
        of_ads.append(AdMetric(rng.choice(ran.ads).id, at, *found))
    with systems.ads.transaction():
        copy_rows(systems.ads, "promptads.campaign_metrics", of_campaigns, systems.tally)
        copy_rows(systems.ads, "promptads.ad_metrics", of_ads, systems.tally)


def metric_is_corrected(systems: Systems) -> None:
    """The ad platform corrects a figure."""
    systems.change(systems.ads, "promptads.campaign_metrics", "correct_metric", {})


def budget_is_edited(systems: Systems) -> None:
    """Somebody changes a budget."""
    values = {"id": systems.campaign().campaign.id, "factor": Decimal(systems.rng.choice(("0.9", "1.1", "1.25")))}
    systems.change(systems.ads, "promptads.campaigns", "edit_budget", values)


def campaign_is_paused(systems: Systems) -> None:
    """Somebody pauses a campaign, or lets it go on."""
    systems.change(systems.ads, "promptads.campaigns", "pause_campaign", {"id": systems.campaign().campaign.id})


def asset_is_made(systems: Systems) -> None:
    """A prompt, and the draft that comes of it."""
    prompt, asset = draft(systems.world, systems.world.scale.assets + systems.rng.getrandbits(40), systems.now())
    systems.content.prompt_history.insert_one(prompt)
    systems.content.content_assets.insert_one(asset)
    systems.tally.add("promptcontent.prompt_history", 1)
    systems.tally.add("promptcontent.content_assets", 1)
    systems.drafts.append(asset["_id"])


def asset_is_approved(systems: Systems) -> None:
    """A draft is approved."""
    if not systems.drafts:
        return
    at = systems.now()
    approved = {"$set": {"status": "approved", "approved_at": at, "updated_at": at}}
    systems.content.content_assets.update_one({"_id": systems.drafts.popleft(), "status": "draft"}, approved)
    systems.tally.add("promptcontent.content_assets", 1)


def user_joins(systems: Systems) -> None:
    """Somebody joins and subscribes, in one transaction."""
    at = systems.now()
    user = new_user(systems.world, systems.rng, systems.unique(), "viewer", at)
    plan = Subscription(new_id(systems.rng), user.id, "basic", "active", naive(at), None)
    with systems.core.transaction():
        copy_rows(systems.core, "promptsales.users", [user], systems.tally)
        copy_rows(systems.core, "promptsales.subscriptions", [plan], systems.tally)


def user_leaves(systems: Systems) -> None:
    """Somebody cancels."""
    systems.change(systems.core, "promptsales.subscriptions", "cancel_subscription", {})


def user_browses(systems: Systems) -> None:
    """A session and an answer of the API."""
    found = (session(systems.world, systems.rng), response(systems.world, systems.rng))
    write(systems.cache, found, systems.tally)


# how often each happens, against the others
EVENTS: dict[Event, int] = {
    metrics_arrive: 30,
    leads_arrive: 20,
    lead_advances: 15,
    somebody_acts: 8,
    deal_moves: 8,
    user_browses: 5,
    asset_is_made: 4,
    metric_is_corrected: 3,
    asset_is_approved: 3,
    budget_is_edited: 2,
    campaign_is_paused: 1,
    user_joins: 1,
    user_leaves: 1,
    lead_is_erased: 1,
}

"""Nothing of an erased person stays in any store, except what docs/how-to/erase-a-person.md names."""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
import redis
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]
from pymongo.database import Database

from promptsales.bus.topics import admin as bus
from promptsales.cli.load import load_feed
from promptsales.feeds import manual_release
from promptsales.settings import ROOT, Settings
from promptsales.specs.feed import contract
from promptsales.specs.topic import read_topics
from tests.integration.privacy.test_streamed import CONTRACTS, send, sent
from tests.support import content, events, keys, leads, systems
from tests.support.bus import read_messages
from tests.support.deciding import BY_HAND

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
ADDRESS, EARLIER = "ann@example.com", "ann@old.example"
FEEDS = ("users", "subscriptions", "contacts", "leads", "activities", "prompts", "content_assets")


class Ann(NamedTuple):
    """Ann's ids: as a user, a contact, and a lead of each way through quarantine."""

    user: uuid.UUID
    contact: uuid.UUID
    lead: uuid.UUID
    repaired: uuid.UUID
    waived: uuid.UUID
    bad: uuid.UUID


def load_all() -> None:
    for feed in FEEDS:
        load_feed(contract(feed), None, "test")


def one(connection: psycopg.Connection, query: str, *values: object) -> uuid.UUID:
    (row,) = connection.execute(query.encode(), values).fetchall()
    return uuid.UUID(str(row[0]))


def promptsales(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("promptsales")), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


@pytest.fixture
def ann(stack: Settings, admin: psycopg.Connection, documents: Database[dict[str, Any]]) -> Iterator[Ann]:
    """Plant Ann in every source, and bring her into every store of the pipeline."""
    systems.empty(stack)
    person = plant(stack, documents)
    through_quarantine(stack, admin, person)
    through_the_stream(stack, person)
    # the report shows the twenty users with the highest costs
    admin.execute("truncate marts.ai_cost_daily")
    admin.execute("insert into marts.ai_cost_daily values ('2026-03-01', 'm', %s, 'USD', 1, 1, 1, 1, 1)", [person.user])
    promptsales("report")
    yield person
    systems.empty(stack)
    admin.execute("truncate marts.ai_cost_daily")
    (stack.state / "report.html").unlink()


def plant(stack: Settings, documents: Database[dict[str, Any]]) -> Ann:
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as sales:
        user = one(sales, "insert into users (email, password_hash, role) values (%s, 'x', 'viewer') returning id",
                   ADDRESS)  # fmt: skip
        sales.execute("insert into subscriptions (user_id, plan_type, status, start_date) "
                      "values (%s, 'pro', 'active', '2026-01-01')", [user])  # fmt: skip
    documents.prompt_history.insert_one(content.prompt(user_id=str(user)))
    documents.content_assets.insert_one(content.asset(created_by_user_id=str(user)))
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("insert into campaigns (user_id, name, objective, budget, status) "
                    "values (%s, 'c', 'conversions', 40, 'active')", [user])  # fmt: skip
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        contact = one(crm, "insert into contacts (owner_user_id, email, phone) values (%s, %s, '+44 1') returning id",
                      user, ADDRESS)  # fmt: skip
        (lead,) = leads.add(crm, 1, email=None, phone="(44)1")
        crm.execute("insert into activities (owner_user_id, activity_type, lead_id, occurred_at) "
                    "values (%s, 'call', %s, '2026-01-01')", [user, lead])  # fmt: skip
        bad = [leads.add(crm, email=address, created_at="2039-01-01")[0] for address in (EARLIER, ADDRESS, ADDRESS)]
    return Ann(user, contact, lead, *bad)


def through_quarantine(stack: Settings, admin: psycopg.Connection, person: Ann) -> None:
    """Load three bad leads; one is repaired under a new address, one is released by hand, one stays."""
    load_all()
    numbers: dict[str, int] = dict(admin.execute("select key, quarantine_id from ops.quarantine").fetchall())
    assert numbers.keys() == {str(person.repaired), str(person.waived), str(person.bad)}
    manual_release.release(admin, numbers[str(person.waived)], BY_HAND)
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        crm.execute("update leads set email = %s, created_at = '2026-01-01' where id = %s", [ADDRESS, person.repaired])
    load_all()
    released = "select key, release_reason from ops.quarantine where payload <> '{}' order by release_reason"
    assert admin.execute(released).fetchall() == [
        (str(person.repaired), "repaired"), (str(person.waived), "waived"), (str(person.bad), None),
    ]  # fmt: skip


def through_the_stream(stack: Settings, person: Ann) -> None:
    """Send a lead, a campaign and a broken event; the last becomes a dead letter."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        campaign = one(ads, "select id from campaigns")
    for number, (name, key, changes) in enumerate((
        ("live_leads", person.lead, {}), ("campaigns", campaign, {}), ("campaigns", campaign, {"budget": "many"}),
    )):  # fmt: skip
        row = sent(stack, name, key) | changes
        at_us = time.time_ns() // 1000
        event = events.message("u", row, 10**9 + number, topic=CONTRACTS[name].topic, epoch=9, at_us=at_us)
        send(stack, event._replace(offset=number))


def needles_of(stack: Settings, person: Ann) -> list[str]:
    """Return her ids and hashes as text, and as PostgreSQL shows the same text in bytes."""
    hashes = [keys.email_hmac(stack, 1, address).hex() for address in (ADDRESS, EARLIER)]
    texts = [*map(str, person), *hashes]
    return texts + [text.encode().hex() for text in texts]


def in_warehouse(admin: psycopg.Connection, needles: list[str]) -> set[str]:
    """Return the tables with a row that contains one of the texts."""
    tables = admin.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables "
        "where schemaname in ('staging', 'core', 'realtime', 'marts', 'ops')"
    ).fetchall()
    found = "select 1 from {} t, unnest(%s::text[]) needle where strpos(t::text, needle) > 0 limit 1"
    return {table for (table,) in tables if admin.execute(found.format(table).encode(), [needles]).fetchone()}


def in_topics(stack: Settings, needles: list[str]) -> set[str]:
    """Return the topics with a message that contains one of the texts."""
    encoded = [needle.encode() for needle in needles]
    return {held.topic for held in read_messages(stack) if any(needle in held.content for needle in encoded)}


def in_files(stack: Settings, needles: list[str]) -> set[str]:
    """Return the logs, and the report, that contain one of the texts."""
    files = [path for path in (stack.state / "logs").rglob("*") if path.is_file()]
    assert files, "no log was searched"
    encoded = [needle.encode() for needle in needles]
    return {path.name for path in files if any(needle in path.read_bytes() for needle in encoded)}


def in_cache(stack: Settings, needles: list[str]) -> set[str]:
    """Return the keys of the cache whose name or value contains one of the texts."""
    with redis.Redis.from_url(stack.address("redis")) as cache:
        dumped = {str(key): repr(key) + repr(cache.dump(key)) for key in cache.scan_iter()}
    return {key for key, text in dumped.items() if any(needle in text for needle in needles)}


def test_a_person_is_in_no_store_that_is_not_named(stack: Settings, admin: psycopg.Connection, ann: Ann) -> None:
    needles, report = needles_of(stack, ann), stack.state / "report.html"
    # the search finds her where she is, so it would find her afterwards
    assert in_warehouse(admin, needles) == {
        "core.activities", "core.campaigns", "core.campaigns_history", "core.contacts", "core.content_assets",
        "core.leads", "core.leads_history", "core.prompts", "core.subscriptions", "core.users", "core.users_history",
        "marts.ai_cost_daily", "ops.dead_letter", "ops.quarantine", "ops.touched", "realtime.live_leads",
        "staging.promptcrm__leads",
    }  # fmt: skip
    assert str(ann.user)[:8] in report.read_text()
    promptsales("pii", "erase", str(ann.user), "--yes")
    # named: it keeps her out
    assert in_warehouse(admin, needles) == {"ops.suppression"}
    assert str(ann.user)[:8] not in report.read_text()
    # named: expire within 8 days
    assert in_topics(stack, needles) == {"promptcontent.content_assets", "promptcontent.prompt_history"}
    assert (in_files(stack, needles), in_cache(stack, needles)) == (set(), set())


def test_every_message_expires_by_the_stated_time(stack: Settings) -> None:
    """Kafka deletes a segment when its last message has expired, so a segment must not be filled for long."""
    client = bus(stack.address("kafka"))
    topics = sorted(client.list_topics(timeout=20).topics.keys() & read_topics().topics.keys())
    answers = client.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in topics])
    longest: dict[str, float] = {}
    for resource, answer in answers.items():
        config = {name: entry.value for name, entry in answer.result().items()}
        assert config["cleanup.policy"] == "delete", resource
        # a message from the future would keep its segment, and all messages in it
        assert int(config["message.timestamp.after.max.ms"]) <= HOUR_MS, resource
        longest[resource.name] = (int(config["retention.ms"]) + int(config["segment.ms"])) / DAY_MS
    streamed = [
        name for name in topics if name.startswith(("promptads.promptads.", "promptcrm.crm.", "promptcontent."))
    ]
    assert len(streamed) == 18
    assert {name: days for name, days in longest.items() if days > (31 if name.endswith(".dlq") else 8)} == {
        "promptads.alerts.v1": 31
    }

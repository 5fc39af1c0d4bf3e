"""A person in two databases: the key changes in both, and an erasure follows the person from one to the other."""

import random
import uuid
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import psycopg
import pytest

from promptsales.cli.load import load_feed
from promptsales.errors import TerminalError
from promptsales.extract.opening import open_source
from promptsales.privacy import erasure, rotation
from promptsales.privacy.person import find
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.integration.privacy.test_erasure import whole
from tests.integration.privacy.test_rotation import ALWAYS
from tests.integration.privacy.test_streamed import audited
from tests.support import keys, leads, systems
from tests.support.feeds import FEEDS, as_application

NOBODY = uuid.UUID(int=0)
USED = ("users", "subscriptions", "contacts", "leads", "activities")


class Ann(NamedTuple):
    """Ann's rows, and a row of another person that she owns."""

    user: uuid.UUID
    subscription: uuid.UUID
    contact: uuid.UUID
    lead: uuid.UUID
    activity: uuid.UUID
    owned: uuid.UUID


def one(connection: psycopg.Connection, query: str, *values: object) -> uuid.UUID:
    row = connection.execute(query.encode(), values).fetchone()
    assert row
    return uuid.UUID(str(row[0]))


@pytest.fixture
def ann(stack: Settings, warehouse: psycopg.Connection) -> Iterator[Ann]:
    systems.empty(stack)
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as sales:
        user = one(sales, "insert into users (email, password_hash, role) values ('ann@example.com', 'x', 'viewer') "
                          "returning id")  # fmt: skip
        subscription = one(
            sales, "insert into subscriptions (user_id, plan_type, status, start_date) "
                   "values (%s, 'pro', 'active', '2026-01-01') returning id", user)  # fmt: skip
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        contact = one(
            crm, "insert into contacts (owner_user_id, email, phone) values (%s, ' Ann@Example.com', '+44 1') "
                 "returning id", uuid.uuid4())  # fmt: skip
        (lead,) = leads.add(crm, 1, email=None, phone="(44)1")
        (owned,) = leads.add(crm, 1, email="bob@example.com", owner_user_id=user)
        activity = one(
            crm, "insert into activities (owner_user_id, activity_type, lead_id, occurred_at) "
                 "values (%s, 'call', %s, '2026-01-01') returning id", uuid.uuid4(), lead)  # fmt: skip
    for feed in USED:
        load_feed(contract(feed), None, "test")
    yield Ann(user, subscription, contact, lead, activity, owned)
    systems.empty(stack)


def rotate(stack: Settings) -> None:
    rotation.rotate(stack, 30, lambda feed: load_feed(feed, None, "test"), lambda what: None)


def emails(warehouse: psycopg.Connection) -> list[tuple[str, bytes, int]]:
    return warehouse.execute(
        "select 'users', email_hmac, pii_kid from core.users union all select 'contacts', email_hmac, pii_kid "
        "from core.contacts"
    ).fetchall()


@pytest.mark.usefixtures("ann")
def test_both_databases_change_and_hashes_join_again(stack: Settings, warehouse: psycopg.Connection) -> None:
    rotate(stack)
    new = keys.email_hmac(stack, 2, "ann@example.com")
    assert emails(warehouse) == [("users", new, 2), ("contacts", new, 2)]
    for feed in ("users", "contacts", "leads"):
        with as_application(stack, FEEDS[feed]) as source:
            FEEDS[feed].assert_equal_to_source(source, warehouse, stack, kid=2)
    bridged = "select feed, new_hmac from ops.pii_bridge where column_name = 'email_hmac' and old_hmac = %s order by 1"
    old = keys.email_hmac(stack, 1, "ann@example.com")
    assert warehouse.execute(bridged, [old]).fetchall() == [("contacts", new), ("users", new)]


@pytest.mark.usefixtures("ann")
def test_a_feed_that_cannot_be_loaded_leaves_the_rotation_open(stack: Settings, warehouse: psycopg.Connection) -> None:
    def load_but_users(feed: object) -> None:
        assert feed is not None
        if feed == contract("users") and keys.active(stack) == [2, 2]:
            raise TerminalError("no")
        load_feed(contract(getattr(feed, "table")), None, "test")  # noqa: B009

    with pytest.raises(TerminalError, match="no"):
        rotation.rotate(stack, 30, load_but_users, lambda what: None)
    newest = rotation.read_newest(warehouse)
    assert newest is not None
    todo = [step.what for step in rotation.list_steps(stack, warehouse, newest) if not step.is_done]
    assert (newest.finished_at, todo) == (None, ["feed users"])
    rotate(stack)
    assert {kid for _, _, kid in emails(warehouse)} == {2}
    assert rotation.describe(rotation.read_newest(warehouse), []) == "everything hashes with key 2"


@pytest.mark.parametrize("by", ["user", "contact", "lead"])
def test_an_erasure_follows_address_and_phone(admin: psycopg.Connection, ann: Ann, by: str) -> None:
    report = erasure.erase(admin, find(admin, str(getattr(ann, by)), None))
    assert report.left == 0
    suppressed = admin.execute("select feed, key from ops.suppression order by 1").fetchall()
    assert suppressed == [("contacts", str(ann.contact)), ("leads", str(ann.lead)), ("users", str(ann.user))]
    _assert_gone(admin, ann)
    # loading everything again restores neither her rows nor her ids in rows of others
    admin.execute("update ops.feed set last_sync_timestamp = null")
    counts = {feed: load_feed(contract(feed), None, "test") for feed in USED}
    assert {feed: result.suppressed for feed, result in counts.items()} == {
        "users": 1, "subscriptions": 0, "contacts": 1, "leads": 1, "activities": 0,
    }  # fmt: skip
    _assert_gone(admin, ann)


@pytest.mark.parametrize("seed", range(3))
def test_in_no_order_does_anything_bring_them_back(
    stack: Settings, admin: psycopg.Connection, ann: Ann, seed: int
) -> None:
    """Replays, reloads, reconciliations, audits and a second erasure run in random order while sources change."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute(
            "insert into promptads.campaigns (user_id, name, objective, budget, status) "
            "values (%s, 'c', 'conversions', 40, 'active')", [ann.user])  # fmt: skip
    admin.execute(
        "insert into ops.feed (feed, extraction, fence, complete_through) "
        "values ('campaigns', 1, 1, now() + interval '10 minutes') "
        "on conflict (feed) do update set extraction = 1, fence = 1, complete_through = excluded.complete_through"
    )
    audited(stack, admin, "campaigns")
    report = erasure.erase(admin, find(admin, str(ann.user), None))
    assert {change.table for change in report.changes} >= {"core.users", "core.campaigns", "core.campaigns_history"}
    steps = [partial(step, stack, admin) for step in (_replay, _reload, _reconcile, _audit)] * 2
    random.Random(seed).shuffle(steps)  # noqa: S311 -- an order, no secret
    for step in steps:
        _change_at_the_sources(stack)
        step()
    _assert_gone(admin, ann)
    text = whole(admin)
    hers = (ann.user, ann.contact, ann.lead, hash_of_ann(stack))
    assert [key for key in hers if str(key) in text] == []
    assert admin.execute("select user_id from core.campaigns").fetchall() == [(NOBODY,)]


def hash_of_ann(stack: Settings) -> str:
    return keys.email_hmac(stack, 1, "ann@example.com").hex()


def _change_at_the_sources(stack: Settings) -> None:
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute("update promptads.campaigns set budget = budget + 1")
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        crm.execute("update crm.leads set score = coalesce(score, 0) + 1")
        crm.execute("update crm.activities set duration_seconds = coalesce(duration_seconds, 0) + 1")
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as sales:
        sales.execute("update subscriptions set plan_type = case plan_type when 'pro' then 'basic' else 'pro' end")


def _replay(stack: Settings, admin: psycopg.Connection) -> None:
    for feed in USED:
        load_feed(contract(feed), ALWAYS, "test")


def _reload(stack: Settings, admin: psycopg.Connection) -> None:
    admin.execute("update ops.feed set last_sync_timestamp = null where feed = any(%s)", [list(USED)])
    for feed in USED:
        load_feed(contract(feed), None, "test")


def _reconcile(stack: Settings, admin: psycopg.Connection) -> None:
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
        for feed in USED:
            with open_source(stack, contract(feed)) as source:
                reconcile(contract(feed), source, warehouse, "test", Limits())
            load_feed(contract(feed), None, "test")


def _audit(stack: Settings, admin: psycopg.Connection) -> None:
    assert audited(stack, admin, "campaigns").left == ()


def _assert_gone(admin: psycopg.Connection, ann: Ann) -> None:
    """Check that her rows are deleted, and that no row of others names her."""
    assert emails(admin) == []
    rows = admin.execute("select lead_id, owner_user_id from core.leads").fetchall()
    assert rows == [(ann.owned, NOBODY)]
    assert admin.execute("select subscription_id, user_id from core.subscriptions").fetchall() == [
        (ann.subscription, NOBODY)
    ]
    assert admin.execute("select activity_id, lead_id from core.activities").fetchall() == [(ann.activity, NOBODY)]
    assert admin.execute("select key from ops.quarantine where released_at is null").fetchall() == []

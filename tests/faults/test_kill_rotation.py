"""kill -9 at each step of a key rotation: the next run ends with one key everywhere and the whole bridge."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.cli.load import load_feed
from promptsales.load.steps import load
from promptsales.privacy import rotation
from promptsales.settings import Settings, settings
from promptsales.specs.feed import contract
from tests.support import keys, leads
from tests.support.stepwise import Say, stepwise

LEADS = contract("leads")
STEPS = (
    "started",
    "key 2 is announced",
    "leads: loading new rows under key 1",
    "promptsales hashes with key 2",
    "promptcrm hashes with key 2",
    "leads: loading all rows",
    "finished",
)


@pytest.fixture(autouse=True)
def first_key(stack: Settings) -> Iterator[None]:
    keys.first_again(stack)
    yield
    keys.first_again(stack)


def rotating(say: Say) -> None:
    """Run a rotation step by step."""
    say("started")
    rotation.rotate(settings(), 30, lambda feed: load_feed(feed, None, "rotating"), say)
    say("finished")


def bridged(warehouse: psycopg.Connection) -> set[tuple[bytes, bytes]]:
    rows = warehouse.execute("select old_hmac, new_hmac from ops.pii_bridge where column_name = 'email_hmac'")
    return {(old, new) for old, new in rows}


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_steps(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, step: str
) -> None:
    addresses = [f"{name}@example.com" for name in ("ann", "bob")]
    for address in addresses:
        leads.add(crm, 5, email=address)
    leads.add_bad(crm, 1)
    load(LEADS, source, warehouse, None, "before")
    with stepwise(rotating) as run:
        run.advance(step)
        run.kill()

    rotation.rotate(stack, 30, lambda feed: load_feed(feed, None, "after the kill"), lambda what: None)

    newest = rotation.read_newest(warehouse)
    assert newest is not None
    # killed after the end: the next run is a new rotation
    kid = 3 if step == "finished" else 2
    assert (newest.kid, newest.finished_at is not None) == (kid, True)
    assert keys.active(stack) == [kid, kid]
    leads.assert_equal_to_source(crm, warehouse, stack, kid=kid)
    pairs = {(keys.email_hmac(stack, kid - 1, one), keys.email_hmac(stack, kid, one))
             for one in [*addresses, "lead@example.com"]}  # fmt: skip
    assert pairs <= bridged(warehouse)


def test_killed_between_the_key_file_and_its_announcement(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "before")
    stack.secrets.create("pii_key_2")  # the only trace of such a rotation
    rotation.rotate(stack, 30, lambda feed: load_feed(feed, None, "after the kill"), lambda what: None)
    assert keys.active(stack) == [2, 2]
    leads.assert_equal_to_source(crm, warehouse, stack, kid=2)

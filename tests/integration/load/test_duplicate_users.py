"""Users that share an address go to quarantine, all others load, and each is published once its address is unique."""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from promptsales.feeds.models import LoadResult
from promptsales.load.steps import load
from promptsales.monitoring import books
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import systems
from tests.support.feeds import FEEDS, as_application, as_pipeline

USERS = contract("users")
FEED = FEEDS["users"]


@pytest.fixture
def application(stack: Settings) -> Iterator[psycopg.Connection]:
    systems.empty(stack)
    with as_application(stack, FEED) as connection:
        yield connection
    systems.empty(stack)


def sign_up(application: psycopg.Connection, email: str) -> UUID:
    query = "insert into promptsales.users (email, password_hash, role) values (%s, 'x', 'viewer') returning id"
    ((user_id,),) = application.execute(query, [email]).fetchall()
    assert isinstance(user_id, UUID)
    return user_id


def run(stack: Settings, warehouse: psycopg.Connection) -> LoadResult:
    with as_pipeline(stack, FEED) as source:
        return load(USERS, source, warehouse, None, "test")


def living(warehouse: psycopg.Connection) -> set[UUID]:
    return {key for (key,) in warehouse.execute("select user_id from core.users where deleted_at is null")}


def waiting(warehouse: psycopg.Connection) -> set[tuple[str, tuple[str, ...]]]:
    query = "select key, rules from ops.quarantine where released_at is null"
    return {(key, tuple(rules)) for key, rules in warehouse.execute(query)}


def test_addresses_that_differ_in_case_only(
    stack: Settings, application: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    alone, lower, upper = (sign_up(application, email) for email in ("bob@x.org", "ann@x.org", "Ann@X.org"))
    assert run(stack, warehouse).quarantined == 2
    assert living(warehouse) == {alone}
    assert waiting(warehouse) == {(str(lower), ("email_twice",)), (str(upper), ("email_twice",))}
    (finding,) = (finding for finding in books.find_quarantined(warehouse) if finding.where == "feed users")
    assert finding.what == "2 rows broke email_twice: another row has the same value"
    assert "`promptsales reconcile users`" in finding.todo

    application.execute("update promptsales.users set email = 'ann2@x.org' where id = %s", [upper])
    run(stack, warehouse)
    assert living(warehouse) == {alone, upper}
    # the next day its row is checked again
    warehouse.execute("update ops.quarantine set last_tried_at = last_tried_at - interval '2 days'")
    run(stack, warehouse)
    assert living(warehouse) == {alone, upper, lower}
    assert waiting(warehouse) == set()


def test_deleted_and_signed_up_again(
    stack: Settings, application: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    first, alone = sign_up(application, "ann@x.org"), sign_up(application, "bob@x.org")
    run(stack, warehouse)
    application.execute("delete from promptsales.users where id = %s", [first])
    again, later = sign_up(application, "ann@x.org"), sign_up(application, "eve@x.org")
    assert run(stack, warehouse).inserted == 1
    assert living(warehouse) == {first, alone, later}
    assert waiting(warehouse) == {(str(again), ("email_twice",))}
    with as_pipeline(stack, FEED) as source:
        reconcile(USERS, source, warehouse, "test", Limits())
    assert living(warehouse) == {alone, later}
    run(stack, warehouse)
    assert living(warehouse) == {alone, later, again}
    assert waiting(warehouse) == set()

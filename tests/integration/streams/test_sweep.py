"""Rows that a new epoch's snapshot does not contain are deleted, but only once that snapshot is applied."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.errors import SourceRefused
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.audit import audit
from promptsales.stream.sweep import sweep
from tests.integration.streams.conftest import Apply
from tests.support.events import message, metric

CAMPAIGN = str(UUID(int=1))
CAMPAIGNS = "promptads.promptads.campaigns"


@pytest.fixture
def newest_epoch(admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Begin epoch 3 of PromptAds' connector, before any event of it is read; restore the epoch afterwards."""
    before = admin.execute("delete from ops.connector where connector = 'promptads' returning *").fetchone()
    admin.execute("insert into ops.connector values ('promptads', 3, '', clock_timestamp(), 1)")
    yield admin
    admin.execute("delete from ops.connector where connector = 'promptads'")
    if before:
        admin.execute("insert into ops.connector values (%s, %s, %s, %s, %s)", before)


@pytest.mark.usefixtures("newest_epoch")
def test_only_of_the_epoch_whose_snapshot_is_applied(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection
) -> None:
    apply([message("r", metric(number, CAMPAIGN), 100 + number) for number in (1, 2)])
    apply([message("r", metric(1, CAMPAIGN), 5, epoch=2)])
    deleted = "select metric_id from core.campaign_metrics where is_deleted"
    assert sweep(stack, warehouse, "promptads", 2) == 0
    assert sweep(stack, warehouse, "promptads", None) == 0
    assert warehouse.execute(deleted).fetchall() == []
    warehouse.execute("update ops.connector set epoch = 2 where connector = 'promptads'")
    assert sweep(stack, warehouse, "promptads", 2) == 1
    assert warehouse.execute(deleted).fetchall() == [(2,)]
    assert sweep(stack, warehouse, "promptads", 2) == 0


@pytest.fixture
def ads_admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to PromptAds' database as an administrator; show all rows of campaigns afterwards."""
    address = make_conninfo(stack.address("sources_admin"), dbname="promptsales")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection
        connection.execute("alter table promptads.campaigns disable row level security")


@pytest.mark.usefixtures("newest_epoch")
def test_a_row_that_the_source_still_has_is_not_deleted(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection
) -> None:
    owner = "insert into promptsales.users (email, password_hash, role) values (%s, 'x', 'viewer') returning id"
    campaign = "insert into promptads.campaigns (user_id, name, objective, budget, status, start_date)"
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as users:
        (user,) = users.execute(owner, [f"{uuid4()}@example.com"]).fetchone() or (None,)
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        (there,) = ads.execute(
            f"{campaign} values (%s, 'c', 'conversions', 4, 'active', now()) returning id", [user]
        ).fetchone() or (None,)
    gone = uuid4()
    apply([message("r", {"id": str(key)}, 100, topic=CAMPAIGNS) for key in (there, gone)])
    warehouse.execute("update ops.connector set epoch = 2 where connector = 'promptads'")
    assert sweep(stack, warehouse, "promptads", 2) == 1
    assert warehouse.execute("select campaign_id from core.campaigns where is_deleted").fetchall() == [(gone,)]


@pytest.mark.usefixtures("newest_epoch")
def test_nothing_is_deleted_that_could_not_be_seen(
    stack: Settings, apply: Apply, warehouse: psycopg.Connection, ads_admin: psycopg.Connection
) -> None:
    apply([message("r", {"id": str(uuid4())}, 100, topic=CAMPAIGNS)])
    warehouse.execute("update ops.connector set epoch = 2 where connector = 'promptads'")
    ads_admin.execute("alter table promptads.campaigns enable row level security")
    hidden = r"table campaigns: etl_audit may not read all rows of promptads\.campaigns"
    with pytest.raises(SourceRefused, match=hidden):
        sweep(stack, warehouse, "promptads", 2)
    with (
        psycopg.connect(stack.address("promptads_cdc"), autocommit=True) as source,
        pytest.raises(SourceRefused, match=hidden),
    ):
        audit(stack, stream_contracts()["campaigns"], source, warehouse, timedelta(hours=3))
    assert warehouse.execute("select from core.campaigns where is_deleted").fetchall() == []
    ads_admin.execute("alter table promptads.campaigns disable row level security")
    assert sweep(stack, warehouse, "promptads", 2) == 1

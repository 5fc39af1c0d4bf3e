"""What a new epoch's snapshot left out is deleted, but never before that snapshot is applied."""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from promptsales.settings import Settings
from streams.sweep import sweep
from tests.integration.streams.conftest import Apply
from tests.support.events import message, metric

CAMPAIGN = str(UUID(int=1))


@pytest.fixture
def newest_epoch(admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """PromptAds' connector with an epoch 3 that began just now: nothing of it has been read. As it was, afterwards."""
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

"""A new snapshot reads everything, even if the connector was deleted and Kafka Connect still has its offsets."""

import httpx
import psycopg

from promptsales.settings import Settings
from promptsales.stream import connectors
from tests.support.campaigning import CAMPAIGNS, start_campaigns
from tests.support.streaming import assert_equal_to_the_source, followed, is_followed, settle, wait

_OLD = "update promptads.campaigns set name = 'changed while nobody listened'"


def test_after_the_connector_was_deleted(stack: Settings, warehouse: psycopg.Connection) -> None:
    with followed(stack), psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        start_campaigns(stack)
        settle(stack)
        with httpx.Client(base_url=stack.address("connect"), trust_env=False, timeout=30) as client:
            client.delete("/connectors/promptads").raise_for_status()
        wait(lambda: connectors.read_status(stack, "promptads").state == "missing")
        ads.execute(_OLD)
        epoch = connectors.snapshot_again(stack, "promptads")
        wait(lambda: is_followed(stack))
        read = "select count(*) from core.campaigns where src_epoch = %s and name like 'changed%%'"
        wait(lambda: warehouse.execute(read, [epoch]).fetchone() == (CAMPAIGNS,), 60)
        settle(stack)
        assert_equal_to_the_source(stack, warehouse)


def test_apply_begins_a_new_epoch_where_kafka_connect_has_forgotten_a_connector(
    stack: Settings, warehouse: psycopg.Connection
) -> None:
    with followed(stack), psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        start_campaigns(stack)
        settle(stack)
        epoch = connectors.read_status(stack, "promptads").epoch or 0
        with httpx.Client(base_url=stack.address("connect"), trust_env=False, timeout=30) as client:
            client.put("/connectors/promptads/stop").raise_for_status()
            wait(lambda: connectors.read_status(stack, "promptads").state == "STOPPED")
            wait(lambda: client.delete("/connectors/promptads/offsets").is_success)
            client.delete("/connectors/promptads").raise_for_status()
        wait(lambda: connectors.read_status(stack, "promptads").state == "missing")
        ads.execute(_OLD)
        assert [change.action for change in connectors.apply(stack)] == ["create"]
        wait(lambda: is_followed(stack))
        settle(stack)
        assert connectors.read_status(stack, "promptads").epoch == epoch + 1
        assert_equal_to_the_source(stack, warehouse)
        # a connector that only Connect lacks continues from its offsets
        with httpx.Client(base_url=stack.address("connect"), trust_env=False, timeout=30) as client:
            client.delete("/connectors/promptads").raise_for_status()
        wait(lambda: connectors.read_status(stack, "promptads").state == "missing")
        ads.execute("update promptads.campaigns set budget = 78")
        connectors.apply(stack)
        wait(lambda: is_followed(stack))
        settle(stack)
        assert connectors.read_status(stack, "promptads").epoch == epoch + 1
        assert_equal_to_the_source(stack, warehouse)

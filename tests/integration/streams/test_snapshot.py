"""A new snapshot reads everything, even where somebody has deleted the connector, whose offsets Kafka Connect keeps."""

import httpx
import psycopg

from promptsales import connectors
from promptsales.settings import Settings
from tests.support.campaigning import CAMPAIGNS, start_campaigns
from tests.support.streaming import assert_equal_to_the_source, followed, is_followed, settle, wait

_OLD = "update promptads.campaigns set name = 'changed while nobody listened'"


def test_after_the_connector_was_deleted(stack: Settings, warehouse: psycopg.Connection) -> None:
    with followed(stack), psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        start_campaigns(stack)
        settle(stack)
        with httpx.Client(base_url=stack.address("connect"), trust_env=False, timeout=30) as client:
            client.delete("/connectors/promptads").raise_for_status()
        wait(lambda: connectors.status(stack, "promptads").state == "missing")
        ads.execute(_OLD)
        epoch = connectors.snapshot_again(stack, "promptads")
        wait(lambda: is_followed(stack))
        read = "select count(*) from core.campaigns where src_epoch = %s and name like 'changed%%'"
        wait(lambda: warehouse.execute(read, [epoch]).fetchone() == (CAMPAIGNS,), 60)
        settle(stack)
        assert_equal_to_the_source(stack, warehouse)

"""Debezium delivers the same rows whatever settings its role and database have."""

import psycopg
import pytest

from promptsales.connections import connected
from promptsales.settings import Settings
from promptsales.stream import connectors
from tests.support.campaigning import CAMPAIGNS, start_campaigns
from tests.support.foreign import foreign_settings
from tests.support.streaming import assert_equal_to_the_source, followed, settle, wait

SNAPSHOT = "select count(*) from core.campaigns where src_epoch = %s and not is_deleted"


@pytest.mark.parametrize("kind", ["role", "database"])
def test_a_snapshot_and_changes(stack: Settings, admin: psycopg.Connection, kind: str) -> None:
    with followed(stack):
        start_campaigns(stack)
        settle(stack)
        with foreign_settings(stack, kind), connected(stack, "warehouse") as warehouse:
            # Debezium reconnects, so its sessions get the new settings
            epoch = connectors.snapshot_again(stack, "promptads")
            wait(lambda: warehouse.execute(SNAPSHOT, [epoch]).fetchone() == (CAMPAIGNS,))
        with connected(stack, "promptads") as ads:
            ads.execute("update promptads.campaigns set name = 'Café', budget = 12.5")
        settle(stack)
        assert admin.execute("select distinct name from core.campaigns").fetchall() == [("Café",)]
        assert_equal_to_the_source(stack, admin)

"""A snapshot that a row security policy would filter fails and is reported; no row is taken for deleted."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.monitoring.stream_doctor import check_hidden_rows
from promptsales.settings import Settings
from promptsales.stream import connectors
from tests.support.campaigning import CAMPAIGNS, start_campaigns
from tests.support.streaming import assert_equal_to_the_source, followed, settle, wait

REFUSED = b'query would be affected by row-level security policy for table "campaigns"'
ALIVE = "select count(*) from core.campaigns where not is_deleted"


@pytest.fixture
def ads_admin(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to PromptAds' database as an administrator; show all rows of campaigns afterwards."""
    address = make_conninfo(stack.address("sources_admin"), dbname="promptsales")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection
        connection.execute("drop policy if exists hides on promptads.campaigns")
        connection.execute("alter table promptads.campaigns disable row level security")
        connection.execute("alter role cdc nobypassrls; alter role etl_audit nobypassrls")


def test_a_snapshot_of_a_table_with_hidden_rows(
    stack: Settings, warehouse: psycopg.Connection, ads_admin: psycopg.Connection
) -> None:
    with followed(stack):
        start_campaigns(stack)
        settle(stack)
        ads_admin.execute("alter table promptads.campaigns enable row level security")
        ads_admin.execute("create policy hides on promptads.campaigns using (name <> 'c1')")
        log = stack.state / "logs" / "sources.log"
        before = log.read_bytes().count(REFUSED)
        epoch = connectors.snapshot_again(stack, "promptads")
        wait(lambda: log.read_bytes().count(REFUSED) > before)
        assert [one.where for one in check_hidden_rows(stack)] == ["table campaigns"] * 2
        assert warehouse.execute(ALIVE).fetchone() == (CAMPAIGNS,)

        ads_admin.execute("alter role cdc bypassrls; alter role etl_audit bypassrls")
        assert list(check_hidden_rows(stack)) == []
        read = "select count(*) from core.campaigns where src_epoch = %s and not is_deleted"
        wait(lambda: warehouse.execute(read, [epoch]).fetchone() == (CAMPAIGNS,))  # Debezium retries every ten seconds
        settle(stack)
        assert_equal_to_the_source(stack, warehouse)

"""Events that left the live stream before they were applied are reported until a snapshot brings their rows."""

from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from local.supervisor import Supervisor
from promptsales.bus import topics
from promptsales.monitoring.stream_doctor import check_streams
from promptsales.settings import Settings
from promptsales.stream import connectors, lag
from tests.support.faults import set_group
from tests.support.streaming import assert_equal_to_the_source, is_followed, settle, wait

WORKER = "stream-0"
SKIPPED, REMOVED = "promptads.promptads.campaign_metrics", "promptads.promptads.ad_metrics"
WAY_OUT = "run `promptsales connectors snapshot promptads`: it reads all rows again under a new epoch"
_MEASURE = """
    insert into promptads.campaign_metrics (campaign_id, impressions) select id, {0} from promptads.campaigns;
    insert into promptads.ad_metrics (ad_id, impressions) select id, {0} from promptads.ads;
"""
_COMPLETE = "select complete_through from ops.feed where feed = %s"
_GAPS = "select distinct topic from ops.stream_offset where gap_at is not null order by topic"


@pytest.fixture
def client(stack: Settings) -> AdminClient:
    """Return an admin client of the brokers."""
    return topics.admin(stack.address("kafka"))


@pytest.fixture
def ads(stack: Settings, following: None) -> Iterator[psycopg.Connection]:
    """Follow PromptAds until no event is on its way."""
    with psycopg.connect(stack.address("promptads"), autocommit=True) as connection:
        connection.execute(_MEASURE.format(1).encode())
        settle(stack)
        yield connection


def test_a_group_set_forward_and_removed_records(
    stack: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, client: AdminClient
) -> None:
    supervisor = Supervisor(stack.state)
    supervisor.stop({WORKER}, 60)
    before = lag.read_ends(client, [SKIPPED, REMOVED])
    ads.execute(_MEASURE.format(2).encode())
    wait(lambda: on_the_bus(client, before) == 24)
    ends = lag.read_ends(client, [SKIPPED, REMOVED])
    set_group(client, {at: end for at, end in ends.items() if at[0] == SKIPPED})
    remove(client, {at: end for at, end in ends.items() if at[0] == REMOVED})
    log = stack.state / "logs" / f"{WORKER}.log"
    read = log.stat().st_size
    supervisor.start(WORKER)
    wait(lambda: warehouse.execute(_GAPS).fetchall() == [(REMOVED,), (SKIPPED,)])
    (stands,) = complete(warehouse, "campaign_metrics")
    # the worker and its threads continue: the other connector and new events are not affected
    ads.execute(_MEASURE.format(3).encode())
    applied = "select count(*) from core.campaign_metrics where impressions = 3"
    wait(lambda: warehouse.execute(applied).fetchone() == (8,))
    moved = complete(warehouse, "live_leads")
    wait(lambda: complete(warehouse, "live_leads") > moved)
    assert complete(warehouse, "campaign_metrics", "ad_metrics", "ads") == [stands] * 3
    lost = "select count(*) from core.campaign_metrics where impressions = 2"
    assert warehouse.execute(lost).fetchone() == (0,)
    told = [(one.where, one.what, one.todo) for one in check_streams(stack) if one.where.startswith("topic")]
    assert {(where, todo) for where, _, todo in told} == {(f"topic {SKIPPED}", WAY_OUT), (f"topic {REMOVED}", WAY_OUT)}
    assert all(what.endswith("complete_through of all tables of promptads does not advance") for _, what, _ in told)
    said = log.read_text(errors="replace")[read:]
    assert all(f"topic {topic} lost offsets" in said for topic in (SKIPPED, REMOVED))
    assert WAY_OUT in said
    connectors.snapshot_again(stack, "promptads")
    wait(lambda: is_followed(stack))
    settle(stack)
    assert warehouse.execute(_GAPS).fetchall() == []
    assert_equal_to_the_source(stack, warehouse)


def on_the_bus(client: AdminClient, before: dict[lag.Partition, int]) -> int:
    """Return the events that have arrived in some partitions since."""
    return sum(end - before[at] for at, end in lag.read_ends(client, {topic for topic, _ in before}).items())


def remove(client: AdminClient, ends: dict[lag.Partition, int]) -> None:
    """Let the broker delete all events before some offsets."""
    for done in client.delete_records([TopicPartition(*at, end) for at, end in ends.items()]).values():
        done.result()


def complete(warehouse: psycopg.Connection, *feeds: str) -> list[datetime]:
    """Return through which time some tables are complete."""
    return [row[0] for feed in feeds for row in warehouse.execute(_COMPLETE, [feed])]

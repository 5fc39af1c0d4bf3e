"""kill -9 of every part of the stream in turn, while the application works: nothing lost, nothing counted twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from local.supervisor import Supervisor
from promptsales import connectors
from promptsales.settings import ROOT, Settings
from tests.support.campaigning import Working, start_campaigns
from tests.support.figures import assert_equal_to_a_recount
from tests.support.streaming import assert_equal_to_the_source, followed, settle, wait

# programs of the supervisor; it starts each again by itself
PARTS = ("stream-0", "connect", "redis", "kafka", "warehouse", "sources", "stream-0")
# levels that a campaign's spend has reached and nobody was told of
_UNTOLD = """
    select c.campaign_id, level
    from core.campaigns c cross join unnest(array[80, 100, 120]) as level
    where not c.is_deleted and c.budget * level <= 100 * (
        select sum(m.spend) from core.campaign_metrics m where m.campaign_id = c.campaign_id and not m.is_deleted
    ) and not exists (
        select from realtime.budget_alert a where a.campaign_id = c.campaign_id and a.level_pct = level
    )
"""
_UNFOUNDED = "select campaign_id, level_pct from realtime.budget_alert where budget * level_pct > 100 * spend"


@pytest.fixture
def following(stack: Settings, warehouse: psycopg.Connection) -> Iterator[None]:
    """PromptAds, followed; the warehouse is empty."""
    with followed(stack):
        yield


def kill(stack: Settings, name: str) -> None:
    """End a program at once, and wait until the supervisor has started another."""
    supervisor = Supervisor(stack.state)
    found = supervisor.processes()[name].pid
    assert found
    os.kill(found, signal.SIGKILL)
    wait(lambda: supervisor.processes()[name].pid not in (0, None, found))


@pytest.mark.usefixtures("following")
def test_every_part_is_killed(stack: Settings) -> None:
    start_campaigns(stack)
    with Working(stack) as work:
        for name in PARTS:
            before = work.commits
            kill(stack, name)
            time.sleep(2)
            wait(lambda before=before: work.commits > before + 20)  # type: ignore[misc]
    settle(stack, 240)
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
        assert_equal_to_the_source(stack, warehouse)
        assert_equal_to_a_recount(warehouse)
        # corrections move spend from campaign to campaign, so a level may be crossed more than once
        assert warehouse.execute(_UNTOLD).fetchall() == []
        assert warehouse.execute(_UNFOUNDED).fetchall() == []
        assert warehouse.execute("select count(*) from ops.dead_letter").fetchone() == (0,)


@pytest.mark.usefixtures("following")
def test_an_update_in_the_first_instant_after_the_snapshot(stack: Settings) -> None:
    start_campaigns(stack)
    with Working(stack) as work:
        wait(lambda: work.commits > 50)
    with Working(stack):
        # a slot made while rows change: what the snapshot read and the first change can share a position
        connectors.snapshot_again(stack, "promptads")
        wait(lambda: connectors.status(stack, "promptads").task == "RUNNING")
        time.sleep(2)
    settle(stack)
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
        # a snapshot tells of no delete: what it left out is deleted after it
        unswept = "select count(*) from ops.connector where swept_epoch < epoch"
        wait(lambda: warehouse.execute(unswept).fetchone() == (0,))
        assert_equal_to_the_source(stack, warehouse)
        assert_equal_to_a_recount(warehouse)
        assert warehouse.execute("select max(src_epoch) > 1 from core.campaign_metrics").fetchone() == (True,)


@pytest.mark.usefixtures("following")
def test_a_second_worker_joins_and_is_killed(stack: Settings) -> None:
    start_campaigns(stack)
    address = f"http://127.0.0.1:{stack.port('stream') + 1}/health/"
    with Working(stack), subprocess.Popen([sys.executable, "-m", "streams", "1"], cwd=ROOT) as second:
        try:
            # it has partitions, and events of them
            wait(lambda: httpx.get(address, trust_env=False).json()["events"] > 20, 120)
        finally:
            second.kill()
    settle(stack, 120)
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
        assert_equal_to_the_source(stack, warehouse)
        assert_equal_to_a_recount(warehouse)

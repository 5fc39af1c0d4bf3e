"""Each part of the stream is killed or frozen while the applications work: nothing is lost or counted twice."""

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from local.supervisor import Supervisor
from promptsales.settings import ROOT, Settings
from promptsales.stream import connectors
from tests.support.campaigning import CARELESS
from tests.support.faults import PARTS, frozen, kill
from tests.support.selling import SELLING
from tests.support.streaming import is_followed, settle, wait
from tests.support.wholeness import amiss
from tests.support.working import Working

pytestmark = pytest.mark.usefixtures("following")

# longer than the workers' session timeout of 12 s: the group has dropped them when the broker continues
FROZEN_S = 45
# shorter than the patience of a worker's watchdog, 30 s
JOINING_S = 12
GROUP, WORKER = "promptsales-stream", "stream-0"


# `make soak` runs other seeds for as long as there is time
@pytest.mark.parametrize("seed", [8])
def test_every_part_in_some_order(stack: Settings, seed: int) -> None:
    order = random.Random(seed).sample(PARTS, len(PARTS))  # noqa: S311 - a test's dice
    with Working(stack, CARELESS) as ads, Working(stack, SELLING) as crm:
        for name in order:
            before = ads.commits, crm.commits
            kill(stack, name)
            time.sleep(2)
            wait(lambda before=before: ads.commits > before[0] + 20 and crm.commits > before[1] + 20)  # type: ignore[misc]
    settle(stack, 240)
    assert amiss(stack) == []


def test_a_deadlock_is_seen_though_the_server_was_killed(stack: Settings) -> None:
    deadlock(stack)
    kill(stack, "warehouse")
    settle(stack, 240)
    (found,) = amiss(stack)
    assert found.startswith("deadlocks: ")


def deadlock(stack: Settings) -> None:
    """Let two transactions deadlock; PostgreSQL ends one of them."""
    address = stack.address("warehouse")
    with psycopg.connect(address) as one, psycopg.connect(address) as other, ThreadPoolExecutor(2) as pool:
        one.execute("select pg_advisory_xact_lock(1)")
        other.execute("select pg_advisory_xact_lock(2)")
        both = [pool.submit(one.execute, "select pg_advisory_xact_lock(2)"),
                pool.submit(other.execute, "select pg_advisory_xact_lock(1)")]  # fmt: skip
        assert sum(isinstance(each.exception(), psycopg.errors.DeadlockDetected) for each in both) == 1
        for connection in (one, other):
            connection.rollback()


def test_a_broker_that_stands_still(stack: Settings) -> None:
    with Working(stack, CARELESS) as ads, Working(stack, SELLING):
        wait(lambda: ads.commits > 50)
        with frozen(stack, "kafka"):
            time.sleep(FROZEN_S)
    settle(stack, 240)
    assert amiss(stack) == []


def test_what_comes_while_no_worker_runs(stack: Settings) -> None:
    supervisor = Supervisor(stack.state)
    with Working(stack, CARELESS) as ads:
        wait(lambda: ads.commits > 50)
    settle(stack)
    # nothing is in flight: the next worker starts exactly where this one's acknowledgements end
    supervisor.stop({WORKER}, 30)
    with Working(stack, CARELESS) as ads:
        wait(lambda: ads.commits > 150)
    supervisor.start(WORKER)
    settle(stack, 120)
    assert amiss(stack) == []


def test_an_update_in_the_first_instant_after_the_snapshot(stack: Settings) -> None:
    with Working(stack, CARELESS) as ads:
        wait(lambda: ads.commits > 50)
    with Working(stack, CARELESS), Working(stack, SELLING):
        # a slot created while rows change: a snapshot row and the first change can have the same position
        for name in connectors.names():
            connectors.snapshot_again(stack, name)
        wait(lambda: is_followed(stack))
        time.sleep(2)
    settle(stack)
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
        # a snapshot contains no deletes: rows that it lacks are deleted after it
        unswept = "select count(*) from ops.connector where swept_epoch < epoch"
        wait(lambda: warehouse.execute(unswept).fetchone() == (0,))
        assert warehouse.execute("select max(src_epoch) > 1 from core.campaign_metrics").fetchone() == (True,)
    assert amiss(stack) == []


def test_a_second_worker_joins_while_a_batch_is_open_and_is_killed(stack: Settings) -> None:
    address = f"http://127.0.0.1:{stack.port('stream') + 1}/health/"
    with Working(stack, CARELESS) as ads:
        wait(lambda: ads.commits > 50)
        with psycopg.connect(stack.address("warehouse_admin")) as lock:
            lock.execute("lock table core.campaign_metrics in share mode")
            wait(lambda: has_open_batch(stack))
            with subprocess.Popen([sys.executable, "-m", "streams", "1"], cwd=ROOT) as second:
                try:
                    # the second worker has asked to join, and the first keeps its partitions until its batch is done
                    time.sleep(JOINING_S)
                    assert has_open_batch(stack)
                    lock.rollback()
                    # the second worker has partitions, and events of them
                    wait(lambda: httpx.get(address, trust_env=False).json()["events"] > 20, 120)
                finally:
                    second.kill()
    settle(stack, 120)
    assert amiss(stack) == []


def has_open_batch(stack: Settings) -> bool:
    """Return True if a worker's transaction waits for a lock."""
    query = "select from pg_stat_activity where application_name = %s and wait_event_type = 'Lock'"
    with psycopg.connect(stack.address("warehouse_admin")) as warehouse:
        return warehouse.execute(query, [GROUP]).fetchone() is not None

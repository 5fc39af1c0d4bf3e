"""Extracts from a real streaming standby, which cannot know the frontier: the declared look-back is read again."""

import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.errors import ConfigError
from promptsales.extract.frontier import read_frontier
from promptsales.extract.sources import Hashing
from promptsales.hashing.hashes import active_key
from promptsales.load.steps import load
from promptsales.monitoring.freshness import freshness
from promptsales.provision import provision_database
from promptsales.provision.cluster import provision_cluster
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import Contract, contract
from tests.support import leads
from tests.support.standby import at, caught_up, standby

LEADS = contract("leads")
LOOK_BACK = timedelta(seconds=LEADS.look_back_seconds)
HOLDER = "a standby: what is open on its primary cannot be seen"
EXPLAINED = f"read from a standby, so how far it is complete is not known; each run reads the last {LOOK_BACK} again"


@pytest.fixture(scope="module")
def port(stack: Settings) -> Iterator[int]:
    with standby(stack) as port:
        yield port


@pytest.fixture
def follower(stack: Settings, port: int) -> Iterator[psycopg.Connection]:
    """Connect to the CRM's standby as the pipeline does."""
    with psycopg.connect(at(stack.address("promptcrm_etl"), port), autocommit=True) as connection:
        yield connection


def test_a_standby_sees_no_frontier(stack: Settings, port: int, follower: psycopg.Connection) -> None:
    # a reader's session on the standby holds nothing, and an open transaction on the primary is invisible
    with (
        psycopg.connect(at(stack.address("promptcrm"), port)) as reader,
        psycopg.connect(stack.address("promptcrm")) as w,
    ):
        reader.execute("select count(*) from crm.leads")
        leads.add(w, 1)
        frontier = read_frontier(follower)
    assert frontier._replace(read_at=frontier.read_at) == (None, frontier.read_at, True, HOLDER, None, None, False)


def test_a_standby_is_not_provisioned(stack: Settings, port: int) -> None:
    with psycopg.connect(at(stack.address("sources_admin"), port), autocommit=True) as admin:
        with pytest.raises(ConfigError, match=r"^cluster sources: its server is a standby.*SOURCES_ADMIN"):
            provision_cluster(admin, "sources", stack.secrets)
        with pytest.raises(ConfigError, match=r"^database promptcrm: its server is a standby"):
            provision_database(admin, "promptcrm", {})


def test_a_row_committed_late_arrives_within_the_look_back(
    stack: Settings, crm: psycopg.Connection, follower: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 2)
    with psycopg.connect(stack.address("promptcrm")) as late:
        leads.add(late, 3, email="late@example.com")  # stamped now, committed after the load
        caught_up(crm, follower)
        first = load(LEADS, follower, warehouse, None, "test")
        (read_at,) = warehouse.execute("select read_at from ops.load").fetchone() or (None,)
        late.commit()
    assert (first.inserted, first.complete_through) == (2, None)
    assert read_at is not None
    assert first.last_sync_timestamp == read_at - LOOK_BACK

    caught_up(crm, follower)
    assert load(LEADS, follower, warehouse, None, "test").inserted == 3
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_a_standby_is_named_and_is_no_alarm(
    crm: psycopg.Connection, follower: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    caught_up(crm, follower)
    load(LEADS, follower, warehouse, None, "test")
    load(LEADS, follower, warehouse, None, "test")
    (feed,) = (feed for feed in freshness(warehouse) if feed.feed == "leads")
    (first,) = warehouse.execute("select min(read_at) from ops.load").fetchone() or (None,)
    assert (feed.state, feed.complete_through, feed.held_by, feed.held_since) == ("unknown", None, EXPLAINED, first)


def test_the_primary_takes_over(
    crm: psycopg.Connection, source: psycopg.Connection, follower: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    caught_up(crm, follower)
    load(LEADS, follower, warehouse, None, "test")
    # only a comparison finds rows that were committed later than the look-back while the standby was read
    assert load(LEADS, source, warehouse, None, "test").complete_through is None
    (held_by,) = warehouse.execute("select held_by from ops.feed").fetchone() or ("",)
    assert "run `promptsales reconcile`" in held_by
    reconcile(LEADS, source, warehouse, "test", Limits())
    assert load(LEADS, source, warehouse, None, "test").complete_through is not None
    (feed,) = (feed for feed in freshness(warehouse) if feed.feed == "leads")
    assert (feed.state, feed.held_by, feed.held_since) == ("fresh", None, None)


@pytest.mark.parametrize("hash_at", ["source", "extract"])
def test_what_a_standby_has_not_replayed_yet_is_not_passed(
    stack: Settings, crm: psycopg.Connection, port: int, warehouse: psycopg.Connection, hash_at: str
) -> None:
    impatient = Contract.model_validate({**LEADS.model_dump(), "look_back_seconds": 1, "hash_at": hash_at})
    leads.add(crm, 1)
    with (
        psycopg.connect(
            at(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), port), autocommit=True
        ) as admin,
        psycopg.connect(at(stack.address("promptcrm_etl"), port), autocommit=True) as reader,
    ):
        source = Hashing(admin, active_key(stack.state / "secrets")) if hash_at == "extract" else reader
        caught_up(crm, admin)
        load(impatient, source, warehouse, None, "test")
        admin.execute("select pg_wal_replay_pause()")
        try:
            leads.add(crm, 1)
            time.sleep(1.5)
            behind = load(impatient, source, warehouse, None, "test")
        finally:
            admin.execute("select pg_wal_replay_resume()")
        assert behind.extracted == behind.unchanged
        caught_up(crm, admin)
        assert load(impatient, source, warehouse, None, "test").inserted == 1
    leads.assert_equal_to_source(crm, warehouse, stack)

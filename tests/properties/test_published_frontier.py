"""At every published frontier the warehouse holds every earlier commit, whatever writers and replays do."""

import threading
import time
import uuid
from datetime import datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptsales.extract import frontier
from promptsales.feeds.models import Window
from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")

# one writer: how long its transaction stays open (ms), its new rows, whether it changes an old row or rolls back
WRITERS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 3), st.booleans(), st.booleans()), min_size=3, max_size=8
)
REPLAYS = st.lists(st.booleans(), min_size=3, max_size=5)


def write(
    address: str, shared: uuid.UUID, plan: tuple[int, int, bool, bool], commits: list[tuple[datetime, list[uuid.UUID]]]
) -> None:
    hold, rows, changes_old, rolls_back = plan
    with psycopg.connect(address) as connection:
        ids = leads.add(connection, rows)
        time.sleep(hold / 1000)
        if changes_old:
            connection.execute("update crm.leads set score = coalesce(score, 0) + 1 where id = %s", [shared])
        if rolls_back:
            connection.rollback()
            return
        connection.commit()
        # the commit happened before this time
        (now,) = connection.execute("select clock_timestamp()").fetchone() or (None,)
        assert now
        commits.append((now, ids))


# the margin of five seconds would hide a wrong frontier from such a short test; here it is zero
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writers=WRITERS, replays=REPLAYS)
def test_every_frontier_is_true(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    writers: list[tuple[int, int, bool, bool]],
    replays: list[bool],
) -> None:
    monkeypatch.setattr(frontier, "MARGIN", timedelta())
    (shared,) = leads.add(crm, 1)
    commits: list[tuple[datetime, list[uuid.UUID]]] = []
    threads = [threading.Thread(target=write, args=(stack.address("promptcrm"), shared, w, commits)) for w in writers]
    for thread in threads:
        thread.start()
    window = Window(start=datetime.fromisoformat("2020-01-01T00:00Z"), end=datetime.fromisoformat("2100-01-01T00:00Z"))
    for is_replay in replays:
        through = load(LEADS, source, warehouse, window if is_replay else None, "test").complete_through
        present = leads.in_core(warehouse).keys()
        missing = [ids for at, ids in list(commits) if through and at < through and not set(ids) <= present]
        assert missing == []
    for thread in threads:
        thread.join()
    load(LEADS, source, warehouse, None, "test")
    leads.assert_equal_to_source(crm, warehouse, stack)

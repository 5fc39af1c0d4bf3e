"""Twenty-four writers, transactions of random length and repeated loads: nothing is ever missing.

In an earlier trial the rule ``updated_at > max(updated_at)`` lost 12 % of new rows. The test records each commit with a
time read after it. At every published frontier the warehouse must hold each commit recorded before it: the row, in that
version or a later one.
"""

import random
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import psycopg

from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")
WRITERS, SECONDS, HOT_ROWS = 24, 30, 100
# most transactions are short; one in twenty outlives the five seconds between a watermark and the frontier
LONG_SHARE, LONG_S = 0.05, (0.5, 8.0)


class Commit(NamedTuple):
    """A row's version (its company's name, a number), and a time by which it was committed."""

    at: datetime
    lead: uuid.UUID
    version: int


def write(address: str, hot: list[uuid.UUID], seed: int, until: float, commits: list[Commit]) -> None:
    """Insert and update in random transactions; list.append is atomic, so writers share one list."""
    chance = random.Random(seed)  # noqa: S311
    with psycopg.connect(address) as connection:
        while time.monotonic() < until:
            changed = list(change(connection, hot, chance))
            time.sleep(chance.uniform(*LONG_S) if chance.random() < LONG_SHARE else chance.expovariate(1 / 0.05))
            if chance.random() < 0.1:
                connection.rollback()
                continue
            connection.commit()
            (at,) = connection.execute("select clock_timestamp()").fetchone() or (None,)
            connection.rollback()
            assert at
            commits.extend(Commit(at, lead, version) for lead, version in changed)


def change(
    connection: psycopg.Connection, hot: list[uuid.UUID], chance: random.Random
) -> Iterator[tuple[uuid.UUID, int]]:
    """Add some rows, and half of the time update one hot row; only one, so that nothing deadlocks."""
    for lead in leads.add(connection, chance.randint(1, 3), company_name="1"):
        yield lead, 1
    if chance.random() < 0.5:
        query = (
            "update crm.leads set company_name = company_name::int + 1 where id = %s returning id, company_name::int"
        )
        yield from connection.execute(query, [chance.choice(hot)]).fetchall()


def versions(warehouse: psycopg.Connection) -> dict[uuid.UUID, int]:
    """Return the versions that the warehouse holds."""
    return dict(warehouse.execute("select lead_id, company_name::int from core.leads").fetchall())


def test_every_frontier_under_many_writers(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    hot = leads.add(crm, HOT_ROWS, company_name="1")
    commits: list[Commit] = []
    until = time.monotonic() + SECONDS
    address = stack.address("promptcrm")
    threads = [threading.Thread(target=write, args=(address, hot, seed, until, commits)) for seed in range(WRITERS)]
    for thread in threads:
        thread.start()
    checked = set()
    while any(thread.is_alive() for thread in threads):
        through = load(LEADS, source, warehouse, None, "test").complete_through
        assert through
        stored = versions(warehouse)
        due = [commit for commit in list(commits) if commit.at < through]
        assert [commit for commit in due if stored.get(commit.lead, 0) < commit.version] == []
        checked |= {commit.lead for commit in due}
    for thread in threads:
        thread.join()
    load(LEADS, source, warehouse, None, "test")
    leads.assert_equal_to_source(crm, warehouse, stack)
    # intermediate frontiers were published too
    assert len(checked) > len(commits) / 10

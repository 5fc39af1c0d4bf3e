"""Read the history of loads and mart builds, for `promptsales loads` and the Warehouse page."""

from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import psycopg

State = Literal["changed", "unchanged", "quarantined", "warned", "blocked"]
Trigger = Literal["schedule", "asset", "backfill", "manual", "command"]
STATES: tuple[State, ...] = get_args(State)
TRIGGERS: tuple[Trigger, ...] = get_args(Trigger)

_LOADS = Path(__file__).with_name("loads.sql").read_bytes()


class Load(NamedTuple):
    """A load of a feed, a build of a mart, or a batch that its checks blocked (which has no counts).

    ``seconds`` is the time from its start to its publication. ``triggered_by`` is the run or command that started it.
    """

    name: str
    mode: str
    state: State
    published_at: datetime
    seconds: float | None
    rows_read: int | None
    inserted: int | None
    updated: int | None
    quarantined: int | None
    checks_failed: int | None
    complete_through: datetime | None
    trigger: Trigger | None
    triggered_by: str | None


class LoadFilter(NamedTuple):
    """Which loads to list: None means all."""

    name: str | None = None
    state: str | None = None
    trigger: str | None = None
    since: datetime | None = None


class LoadPage(NamedTuple):
    """Some of the loads that a filter chooses, and how many it chooses in all."""

    total: int
    loads: list[Load]


def read_loads(warehouse: psycopg.Connection, chosen: LoadFilter, limit: int, skip: int = 0) -> LoadPage:
    """Return at most ``limit`` loads, newest first, after skipping some."""
    rows = warehouse.execute(_LOADS, {**chosen._asdict(), "limit": limit, "skip": skip}).fetchall()
    return LoadPage(rows[0][-1] if rows else 0, [Load(*row[:-1]) for row in rows])

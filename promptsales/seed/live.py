"""Keep changing every system at a given rate until an event is set."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from typing import TypeVar

import psycopg
import redis
from psycopg.rows import class_row
from pymongo import MongoClient

from promptsales.connections import connected
from promptsales.errors import ConfigError
from promptsales.seed.accounts import stages
from promptsales.seed.copying import Say, Tally, statement
from promptsales.seed.failures import system_errors
from promptsales.seed.live_events import EVENTS, Deal, OpenLead, Systems
from promptsales.seed.promptcontent import Document
from promptsales.seed.world import DAYS, SCALES, Size, World, fresh_rng
from promptsales.settings import Settings


def live(
    settings: Settings,
    size: Size,
    anchor: datetime,
    rate: float,
    stop: Event,
    on_progress: Say = lambda _: None,
    days: int = DAYS,
) -> dict[str, int]:
    """Change all systems at random, one transaction per event; a stop takes effect after the current transaction.

    Args:
        settings: the addresses of the systems.
        size: the size that the systems were filled with, which determines the existing ids.
        anchor: midnight UTC of today.
        rate: events per second; fewer if the systems cannot keep up, as events run one after another.
        stop: set by the caller to stop.
        on_progress: called with a short text about the rows changed so far.
        days: the length of the history that the systems were filled with.

    Returns:
        Rows written or changed per table.

    Raises:
        ConfigError: when the CRM does not hold the sample data.
        TransientError: when a system cannot be reached.
        TerminalError: when a system rejects a change.
    """
    with (
        system_errors("change the sample data"),
        _systems(settings, World(anchor, SCALES[size], days=days), on_progress) as systems,
    ):
        _read_candidates(systems)
        events, weights = tuple(EVENTS), tuple(EVENTS.values())
        due = time.monotonic()
        while not stop.is_set():
            systems.rng.choices(events, weights)[0](systems)
            # delays of more than a second are not made up for, so that the rate is never much exceeded
            due = max(due + 1 / rate, time.monotonic() - 1)
            stop.wait(max(0.0, due - time.monotonic()))
        return dict(systems.tally.counts)


@contextmanager
def _systems(settings: Settings, world: World, say: Say) -> Iterator[Systems]:
    """Open a connection to every system."""
    with (
        connected(settings, "promptsales") as core,
        connected(settings, "promptads") as ads,
        connected(settings, "promptcrm") as crm,
        MongoClient[Document](settings.address("promptcontent"), serverSelectionTimeoutMS=5_000) as mongo,
        redis.Redis.from_url(settings.address("redis")) as cache,
    ):
        yield Systems(world, fresh_rng(), core, ads, crm, mongo.get_default_database(), cache, Tally(say))


def _read_candidates(systems: Systems) -> None:
    """Read the leads, deals and drafts that events can change.

    Raises:
        ConfigError: when the CRM does not hold the sample data.
    """
    first = stages(systems.world)[0].id
    if systems.crm.execute("select from crm.pipeline_stages where id = %s", (first,)).fetchone() is None:
        raise ConfigError("the crm does not hold the sample data: run `promptsales seed` on an empty crm first")
    systems.leads.extend(_read(systems.crm, "open_leads", OpenLead))
    systems.deals.extend(_read(systems.crm, "open_opportunities", Deal))
    drafts = systems.content.content_assets.find({"status": "draft"}, {"_id": 1}, limit=200)
    systems.drafts.extend(asset["_id"] for asset in drafts)


_RowT = TypeVar("_RowT")


def _read(connection: psycopg.Connection, name: str, row_type: type[_RowT]) -> list[_RowT]:
    with connection.cursor(row_factory=class_row(row_type)) as cursor:
        return cursor.execute(statement(name)).fetchall()

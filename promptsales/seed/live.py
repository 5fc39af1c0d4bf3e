"""Keep changing every system, at a given rate, until told to stop."""

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
    """Change all systems at random; every event is one transaction, and a stop waits for the end of the last.

    Args:
        settings: where the systems are.
        size: the size the systems were filled with: says which ids are there.
        anchor: midnight UTC of today.
        rate: events a second; at most what the systems manage, one after the other.
        stop: set from elsewhere when it is enough.
        on_progress: told in a few words what has been changed so far.
        days: the length of the history that the systems were filled with.

    Returns:
        Rows written or changed per table.

    Raises:
        ConfigError: when the CRM does not hold our sample data.
        TransientError: when a system cannot be reached.
        TerminalError: when a system refuses.
    """
    with (
        system_errors("change the sample data"),
        _systems(settings, World(anchor, SCALES[size], days=days), on_progress) as systems,
    ):
        _remember(systems)
        events, weights = tuple(EVENTS), tuple(EVENTS.values())
        due = time.monotonic()
        while not stop.is_set():
            systems.rng.choices(events, weights)[0](systems)
            # what is late is not made up for: a rate is a rate
            due = max(due + 1 / rate, time.monotonic() - 1)
            stop.wait(max(0.0, due - time.monotonic()))
        return dict(systems.tally.counts)


@contextmanager
def _systems(settings: Settings, world: World, say: Say) -> Iterator[Systems]:
    """Connections to every system, closed at the end."""
    with (
        connected(settings, "promptsales") as core,
        connected(settings, "promptads") as ads,
        connected(settings, "promptcrm") as crm,
        MongoClient[Document](settings.address("promptcontent"), serverSelectionTimeoutMS=5_000) as mongo,
        redis.Redis.from_url(settings.address("redis")) as cache,
    ):
        yield Systems(world, fresh_rng(), core, ads, crm, mongo.get_default_database(), cache, Tally(say))


def _remember(systems: Systems) -> None:
    """Look up what there is to go on with.

    Raises:
        ConfigError: when the CRM does not hold our sample data.
    """
    first = stages(systems.world)[0].id
    if systems.crm.execute("select from crm.pipeline_stages where id = %s", (first,)).fetchone() is None:
        raise ConfigError("the crm does not hold the sample data of `promptsales seed`: there is nothing to go on with")
    systems.leads.extend(_read(systems.crm, "open_leads", OpenLead))
    systems.deals.extend(_read(systems.crm, "open_opportunities", Deal))
    drafts = systems.content.content_assets.find({"status": "draft"}, {"_id": 1}, limit=200)
    systems.drafts.extend(asset["_id"] for asset in drafts)


_Thing = TypeVar("_Thing")


def _read(connection: psycopg.Connection, name: str, kind: type[_Thing]) -> list[_Thing]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(statement(name)).fetchall()

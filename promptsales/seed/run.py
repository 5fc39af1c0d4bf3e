"""Fill every system that is empty."""

import time
from datetime import datetime
from typing import Protocol

from promptsales.seed import promptads, promptcontent, promptcrm, promptsales, sessions
from promptsales.seed.copying import Say, Tally
from promptsales.seed.planted import PLANTED
from promptsales.seed.report import SeedReport
from promptsales.seed.world import DAYS, SCALES, SEED, Size, World
from promptsales.settings import Settings
from promptsales.targets import PublicName


class _Fill(Protocol):
    def __call__(self, settings: Settings, world: World, tally: Tally) -> bool: ...


# in this order, because campaigns reference users
_SYSTEMS: dict[PublicName, _Fill] = {
    "promptsales": promptsales.fill,
    "promptads": promptads.fill,
    "promptcrm": promptcrm.fill,
    "promptcontent": promptcontent.fill,
    "redis": sessions.fill,
}
_TABLES = {"prompts": "prompt_history"}  # feeds whose table at the source has another name


def seed(
    settings: Settings,
    size: Size,
    anchor: datetime,
    on_progress: Say = lambda _: None,
    number: int = SEED,
    days: int = DAYS,
) -> SeedReport:
    """Fill every system that is empty, and do not change systems that hold rows.

    Each system is filled in one transaction, or (PromptContent) in batches that the next seed continues, so a seed that
    was killed can be run again.

    Args:
        settings: the addresses of the systems.
        size: the number of rows.
        anchor: midnight UTC at which the history ends.
        on_progress: called with a short text about the rows written so far.
        number: the seed number; the same number, size, anchor and days give the same ids and values.
        days: length of the history; a longer one has the same number of rows.

    Raises:
        ConfigError: when the anchor is not midnight UTC, or a system has no address.
        TransientError: when a system cannot be reached.
        TerminalError: when a system rejects a statement, for instance because its schema is not provisioned.
    """
    world, tally, began = World(anchor, SCALES[size], number, days), Tally(on_progress), time.monotonic()
    already_there = tuple(name for name, fill in _SYSTEMS.items() if not fill(settings, world, tally))
    written = {table.split(".")[1] for table in tally.counts}
    return SeedReport(
        size=size,
        rows=dict(tally.counts),
        planted={feed: count for feed, count in PLANTED.items() if _TABLES.get(feed, feed) in written},
        already_there=already_there,
        seconds=round(time.monotonic() - began, 2),
    )

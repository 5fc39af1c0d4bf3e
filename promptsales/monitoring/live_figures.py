"""Live figures over all campaigns, cached for a few seconds so that many readers cost one query."""

from pathlib import Path
from typing import Any, NamedTuple

import redis

from promptsales.cache.responses import Responses
from promptsales.connections import connected
from promptsales.settings import Settings

# short, because every batch of the stream changes the figures
_SECONDS = 5
_TABLES = ("core.campaigns", "core.campaign_metrics")
_FIGURES = Path(__file__).with_name("live_figures.sql").read_bytes()


class LiveFigures(NamedTuple):
    """Active campaigns, impressions in the last hour, and active campaigns that have crossed a budget alert level."""

    active_campaigns: int
    last_hour_impressions: int
    near_budget: int


def live_figures(settings: Settings, cache: "redis.Redis") -> LiveFigures:
    """Return the figures from the cache, or from the warehouse when the cache does not have them.

    Raises:
        TransientError: when neither the cache nor the warehouse answers.
    """

    def read() -> Any:
        with connected(settings, "warehouse", patience="look") as warehouse:
            return warehouse.execute(_FIGURES).fetchone()

    return LiveFigures(*Responses(cache).read("live", {}, _TABLES, read, _SECONDS))

"""Live figures over all campaigns, for people: at most a few seconds old, however many ask."""

from pathlib import Path
from typing import Any, NamedTuple

import redis

from promptsales.cache.responses import Responses
from promptsales.connections import connected
from promptsales.settings import Settings

# its tables change with every batch: what is kept is old soon
_SECONDS = 5
_TABLES = ("core.campaigns", "core.campaign_metrics")
_FIGURES = Path(__file__).with_name("live_figures.sql").read_bytes()


class LiveFigures(NamedTuple):
    """Active campaigns, what was shown in the last hour, and how many have crossed a level of budget alerts."""

    active_campaigns: int
    last_hour_impressions: int
    near_budget: int


def live_figures(settings: Settings, cache: "redis.Redis") -> LiveFigures:
    """The figures, by the cache.

    Raises:
        TransientError: when neither the cache nor the warehouse answers.
    """

    def make() -> Any:
        with connected(settings, "warehouse", patience="look") as warehouse:
            return warehouse.execute(_FIGURES).fetchone()

    return LiveFigures(*Responses(cache).read("live", {}, _TABLES, make, _SECONDS))

"""What `promptsales run` shows of the stream: a few seconds of live traffic, how fast it came, and what was spent."""

from datetime import UTC, datetime
from threading import Event, Timer

from promptsales import latency
from promptsales.cli.output import connected, console, show_table
from promptsales.cli.phases import Phases
from promptsales.seed.live import live
from promptsales.seed.world import Size
from promptsales.settings import Settings

RATE, SECONDS = 100.0, 4.0

_SPEND = """
    select name, currency_code, spend, budget, budget_level_pct, last_hour_spend, last_hour_impressions
    from realtime.live_campaign where status = 'active' order by last_hour_spend desc, spend desc, name limit 5
"""


def traffic(here: Settings, size: Size, phases: Phases) -> datetime:
    """Change every system for a few seconds; when that began."""
    stop, began = Event(), datetime.now(UTC)
    midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
    timer = Timer(SECONDS, stop.set)
    with phases.phase("live traffic") as say:
        timer.start()
        counts = live(here, size, midnight, RATE, stop)
        say(f"{sum(counts.values())} rows written in {SECONDS:.0f} s")
    return began


def show_live(since: datetime) -> None:
    """How fast the traffic since a time came, and live spend by campaign."""
    with connected("promptads") as ads, connected("warehouse") as warehouse:
        found = latency.measure(ads, warehouse, since)
        spend = warehouse.execute(_SPEND).fetchall()
    if found:
        console.print(
            f"{'live':<19} {found.rows} measurements, {found.rows / SECONDS:.0f} a second; commit at the source"
            f" to commit in the warehouse: p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    columns = ("campaign", "currency", "spend", "budget", "level, %", "spend, last hour", "impressions, last hour")
    show_table("Live spend, by campaign", columns, spend)

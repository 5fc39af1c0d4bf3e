"""What `promptsales run` shows of the stream: a few seconds of live traffic, how fast it came, and what was spent."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Timer

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from promptsales.cli.output import connected, show_line, show_table
from promptsales.cli.phases import Phases
from promptsales.errors import TransientError
from promptsales.monitoring import latency
from promptsales.seed.live import live
from promptsales.seed.world import Size
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts

RATE, SECONDS = 100.0, 4.0
CATCH_UP_S = 300

_BEHIND = Path(__file__).with_name("behind.sql").read_bytes()
_SPEND = Path(__file__).with_name("spend.sql").read_bytes()


def traffic(here: Settings, size: Size, phases: Phases) -> datetime:
    """Change every system for a few seconds, once the stream has what there was before; when that began.

    Raises:
        TransientError: when a system does not answer, or the stream does not catch up.
    """
    _catch_up(phases)
    stop, began = Event(), datetime.now(UTC)
    midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
    timer = Timer(SECONDS, stop.set)
    with phases.phase("live traffic") as say:
        timer.start()
        counts = live(here, size, midnight, RATE, stop)
        say(f"{sum(counts.values())} rows written in {SECONDS:.0f} s")
    return began


def _catch_up(phases: Phases) -> None:
    """Wait until every streamed table is complete through now: a first snapshot is a great many rows."""
    names, now = list(stream_contracts()), datetime.now(UTC)
    with phases.phase("stream catches up") as say, connected("warehouse", "look") as warehouse:

        def behind() -> int:
            (found,) = warehouse.execute(_BEHIND, [names, now]).fetchone() or (len(names),)
            say(f"{len(names) - found} of {len(names)} tables")
            return int(found)

        patience = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(CATCH_UP_S), wait=wait_fixed(0.25))
        try:
            patience(behind)
        except RetryError:
            raise TransientError(
                f"the stream is not complete after {CATCH_UP_S} s: `promptsales status` says where it is behind"
            ) from None


def show_live(since: datetime) -> None:
    """How fast the traffic since a time came, and live spend by campaign."""
    with connected("promptads", "look") as ads, connected("warehouse", "look") as warehouse:
        found = latency.measure(ads, warehouse, since)
        spend = warehouse.execute(_SPEND).fetchall()
    if found:
        show_line(
            f"{'live':<19} {found.rows} measurements, {found.rows / SECONDS:.0f} a second; commit at the source"
            f" to commit in the warehouse: p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms"
        )
    columns = ("campaign", "currency", "spend", "budget", "level, %", "spend, last hour", "impressions, last hour")
    show_table("Live spend, by campaign", columns, spend)

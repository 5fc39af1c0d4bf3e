"""The stream in `promptsales run`: write a few seconds of live traffic, then show its latency and the live spend."""

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
    """Wait until the stream has caught up, write to every system for a few seconds, and return when that started.

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
    """Wait until every streamed table is complete through now; a first snapshot takes a while."""
    names, now = list(stream_contracts()), datetime.now(UTC)
    with phases.phase("stream catches up") as say, connected("warehouse", "look") as warehouse:

        def count_behind() -> int:
            (behind,) = warehouse.execute(_BEHIND, [names, now]).fetchone() or (len(names),)
            say(f"{len(names) - behind} of {len(names)} tables")
            return int(behind)

        retrying = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(CATCH_UP_S), wait=wait_fixed(0.25))
        try:
            retrying(count_behind)
        except RetryError:
            raise TransientError(
                f"the stream has not caught up after {CATCH_UP_S} s: run `promptsales status` to see where it is behind"
            ) from None


def show_live(since: datetime) -> None:
    """Print the latency of the traffic since a time, and the live spend by campaign."""
    with connected("promptads", "look") as ads, connected("warehouse", "look") as warehouse:
        measured = latency.measure(ads, warehouse, since)
        spend = warehouse.execute(_SPEND).fetchall()
    if measured:
        show_line(
            f"{'live':<19} {measured.rows} measurements, {measured.rows / SECONDS:.0f} per second; from commit at the "
            f"source to commit in the warehouse: p50 {measured.p50:.0f} ms, p99 {measured.p99:.0f} ms"
        )
    columns = ("campaign", "currency", "spend", "budget", "level, %", "spend, last hour", "impressions, last hour")
    show_table("Live spend by campaign", columns, spend)

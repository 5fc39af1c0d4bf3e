"""Warnings about feeds rather than rows: unusual volume, late data, new columns at the source."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from promptsales.extract.drift import find_new_columns
from promptsales.monitoring.freshness import Freshness, freshness
from promptsales.quality.verdict import Verdict, make_warning, record
from promptsales.specs.feed import Contract

SQL = Path(__file__).parent

# with fewer weeks of history no volume counts as unusual
LEAST_POINTS = 6


class Volume(NamedTuple):
    """The rows that a feed brought on one day; ``points`` counts the earlier weekdays they are compared with."""

    feed: str
    rows: int
    points: int
    is_unusual: bool
    is_empty: bool


def volumes(warehouse: psycopg.Connection, feeds: Iterable[str], now: datetime) -> list[Volume]:
    """Return the volume of each feed on the last whole day (UTC), and whether it is unusual for the weekday."""
    day = now.astimezone(UTC).date() - timedelta(days=1)
    values: dict[str, Any] = {"feeds": list(feeds), "day": day, "least_points": LEAST_POINTS}
    with warehouse.cursor(row_factory=class_row(Volume)) as cursor:
        return cursor.execute((SQL / "volume.sql").read_bytes(), values).fetchall()


def check_feeds(warehouse: psycopg.Connection, feeds: Iterable[str], now: datetime) -> dict[str, list[Verdict]]:
    """Check the volume and age of feeds at ``now``, and record and return the verdicts; all are warnings."""
    chosen = set(feeds)
    states = {state.feed: state for state in freshness(warehouse) if state.feed in chosen}
    verdicts_by_feed = {
        volume.feed: [*_check_volume(volume), *_check_age(states[volume.feed], now)]
        for volume in volumes(warehouse, chosen, now)
    }
    with warehouse.transaction():
        for feed, verdicts in verdicts_by_feed.items():
            record(warehouse, feed, None, verdicts)
    return verdicts_by_feed


def _check_volume(volume: Volume) -> Iterable[Verdict]:
    yield make_warning(
        "volume_unusual",
        "expect_feed_volume_to_be_usual",
        "A feed brings about as many rows as on this weekday in the last twelve weeks.",
        volume.is_unusual,
        volume.rows,
    )
    yield make_warning(
        "volume_empty",
        "expect_feed_to_bring_rows",
        "A feed brings rows on a weekday that always had some.",
        volume.is_empty,
        volume.rows,
    )


def _check_age(state: Freshness, now: datetime) -> Iterable[Verdict]:
    # completeness is unknown when the source is a standby; then the watermark counts
    reached = state.complete_through or state.last_sync_timestamp
    contract = state.contract
    for rule, limit in (("feed_late", contract.late_after), ("feed_stale", contract.stale_after)):
        yield make_warning(
            rule,
            "expect_feed_to_be_fresh",
            f"A feed is at most {limit.total_seconds() / 3600:g} hours behind.",
            reached is None or now - reached > limit,
        )


def check_source(contract: Contract, source: psycopg.Connection, warehouse: psycopg.Connection) -> list[str]:
    """Record and return the names of the columns of the source that the contract does not name."""
    names = find_new_columns(contract, source)
    verdict = make_warning(
        "source_column_new",
        "expect_source_columns_to_be_known",
        "The contract lists every column of the source under columns or unread.",
        bool(names),
    )
    record(warehouse, contract.table, None, [verdict._replace(unexpected_count=len(names))])
    return names

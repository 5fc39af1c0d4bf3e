"""The warnings that look at feeds rather than rows: how much they bring, how far they are, what their sources grew."""

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

# fewer weeks than this say nothing about what is usual
LEAST_POINTS = 6


class Volume(NamedTuple):
    """What a feed brought on one day; ``points`` are the same weekdays it is compared with."""

    feed: str
    rows: int
    points: int
    is_unusual: bool
    is_empty: bool


def volumes(warehouse: psycopg.Connection, feeds: Iterable[str], now: datetime) -> list[Volume]:
    """What each feed brought on the last whole day (UTC), and whether that is usual for its weekday."""
    day = now.astimezone(UTC).date() - timedelta(days=1)
    values: dict[str, Any] = {"feeds": list(feeds), "day": day, "least_points": LEAST_POINTS}
    with warehouse.cursor(row_factory=class_row(Volume)) as cursor:
        return cursor.execute((SQL / "volume.sql").read_bytes(), values).fetchall()


def check_feeds(warehouse: psycopg.Connection, feeds: Iterable[str], now: datetime) -> dict[str, list[Verdict]]:
    """Judge feeds as they stand at ``now``, and record the results; all of them are warnings."""
    chosen = set(feeds)
    ages = {one.feed: one for one in freshness(warehouse) if one.feed in chosen}
    found = {one.feed: [*_volume(one), *_staleness(ages[one.feed], now)] for one in volumes(warehouse, chosen, now)}
    with warehouse.transaction():
        for feed, verdicts in found.items():
            record(warehouse, feed, None, verdicts)
    return found


def _volume(found: Volume) -> Iterable[Verdict]:
    yield make_warning(
        "volume_unusual",
        "expect_feed_volume_to_be_usual",
        "A feed brings about as many rows a day as on this weekday in the last twelve weeks.",
        found.is_unusual,
        found.rows,
    )
    yield make_warning(
        "volume_empty",
        "expect_feed_to_bring_rows",
        "A feed brings rows on a weekday that always had some.",
        found.is_empty,
        found.rows,
    )


def _staleness(found: Freshness, now: datetime) -> Iterable[Verdict]:
    # a standby knows no completeness; there it counts how far it was read
    reached = found.complete_through or found.last_sync_timestamp
    contract = found.contract
    for rule, limit in (("feed_late", contract.late_after), ("feed_stale", contract.stale_after)):
        yield make_warning(
            rule,
            "expect_feed_to_be_fresh",
            f"A feed is complete to within {limit.total_seconds() / 3600:.0f} hours.",
            reached is None or now - reached > limit,
        )


def check_source(contract: Contract, source: psycopg.Connection, warehouse: psycopg.Connection) -> list[str]:
    """Look for columns the source has grown, and record the result; returns their names."""
    names = find_new_columns(contract, source)
    verdict = make_warning(
        "source_column_new",
        "expect_source_columns_to_be_known",
        "Every column of the source is read, or listed as unread.",
        bool(names),
    )
    record(warehouse, contract.table, None, [verdict._replace(unexpected_count=len(names))])
    return names

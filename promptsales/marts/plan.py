"""Plan a build of a mart: the days that were touched in core since its last build, a window, or everything.

A late fact is in ``ops.touched`` with its day (`feeds/touched.py`); the mart's ``periods.sql`` says which of its days
follow from that.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import class_row, scalar_row

from promptsales.errors import ConfigError, TransientError
from promptsales.marts.span import Range, Span
from promptsales.settings import ROOT, Settings
from promptsales.specs.feed import CORE, REBUILD, Contract, contracts
from promptsales.specs.mart import Mart, catalogue, tables
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.suite import read_suite

SQL = Path(__file__).parent / "sql"
# application_name of Spark's sessions; the frontier ignores them because they never touch days
READER = "promptsales marts"

# all days, up to the end of core.calendar
ALL: Range = (date(1900, 1, 1), date(2041, 1, 1))
# shorter gaps are built with the days around them: reading another range costs more than building the gap
GAP = timedelta(days=7)
MOST_RANGES = 8


@dataclass(frozen=True)
class BuildRequest:
    """What a run asks for; ``window`` builds exactly those days, whether touched or not."""

    as_of: datetime
    triggered_by: str
    window: Range | None = None
    is_full: bool = False


@dataclass(frozen=True)
class MartState:
    """The state of a mart after its last build."""

    touched_through: datetime
    as_of_day: date
    definition: str
    zone: str


@dataclass(frozen=True)
class Plan:
    """The days of a mart to build. ``reason`` says why there are none; a blocked mart has an input that failed."""

    span: Span
    since: datetime
    definition: str
    is_full: bool
    reason: str = ""
    is_blocked: bool = False

    @property
    def is_due(self) -> bool:
        """Return whether there are days to build."""
        return bool(self.span.ranges)


def definition(mart: Mart, settings: Settings) -> str:
    """Return a digest of what defines a mart: its files, its job, its seeds, and the settings its days depend on."""
    job = ROOT / "spark_jobs"
    seeds = (CORE / name.removeprefix("core.") / "seed.csv" for name in mart.inputs)
    files = [
        job / f"{mart.mart}.py",
        job / "measures.py",
        job / "intervals.py",
        *sorted(mart.folder.glob("*.sql")),
        *filter(Path.exists, seeds),
    ]
    digest = hashlib.sha256(f"{settings.reporting_timezone} {settings.provisional_days}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def plan(mart: Mart, warehouse: psycopg.Connection, settings: Settings, request: BuildRequest) -> Plan:
    """Return the days of a mart that a build must cover.

    Args:
        mart: the mart.
        warehouse: a connection as the loader, in autocommit.
        settings: reporting zone and provisional days.
        request: as of when, and whether for a window or for all days.

    Raises:
        ConfigError: when the request has a window and the mart holds days of another zone.
    """
    as_of_day = request.as_of.astimezone(ZoneInfo(settings.reporting_timezone)).date() - timedelta(days=1)
    # read first: days that are touched from now on belong to the next build
    since = _read_touched_through(warehouse)
    state = _read_state(warehouse, mart.mart)
    _refuse_two_zones(mart, state, settings, request)
    current = definition(mart, settings)
    failed = failed_inputs(mart, warehouse)
    is_full = request.window is None and (request.is_full or state is None or state.definition != current)
    ranges: tuple[Range, ...] = ()
    if failed:
        reason = f"its input {', '.join(failed)} failed its last audit"
    elif request.window or is_full or state is None:
        ranges, reason = _aligned([request.window or ALL], mart), ""
    else:
        days = _touched(mart, warehouse, settings, state.touched_through, state.as_of_day, as_of_day)
        ranges, reason = _aligned(_ranges(days), mart), "its inputs did not change"
    span = Span(ranges, as_of_day, settings.reporting_timezone, settings.provisional_days)
    # after a window the other days still have to follow core from where they were
    since = state.touched_through if request.window and state else since
    return Plan(span, since, current, is_full, reason, is_blocked=bool(failed))


_STATE = "select touched_through, as_of_day, definition, zone from ops.mart where mart = %s"


def _read_state(warehouse: psycopg.Connection, mart: str) -> MartState | None:
    with warehouse.cursor(row_factory=class_row(MartState)) as cursor:
        return cursor.execute(_STATE, [mart]).fetchone()


def _refuse_two_zones(mart: Mart, state: MartState | None, settings: Settings, request: BuildRequest) -> None:
    """Refuse a window in a new zone: at the edge between days of two zones, hours would be double or missing."""
    if request.window and state and state.zone != settings.reporting_timezone:
        raise ConfigError(
            f"mart {mart.mart}: it was built by days of {state.zone}, the setting PROMPTSALES_REPORTING_TIMEZONE is "
            f"{settings.reporting_timezone}; build it without a window first, which rebuilds all days"
        )


def _read_touched_through(warehouse: psycopg.Connection) -> datetime:
    """Return a time before which no open transaction can still touch days.

    Raises:
        TransientError: when a session is writing touched days and we may not see when it started.
    """
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        (frontier,) = cursor.execute((SQL / "frontier.sql").read_bytes(), {"reader": READER}).fetchall()
    if frontier is None:
        raise TransientError(
            "plan marts: a session of a role other than the loader's is writing ops.touched, and its start time is "
            "hidden, so the days it touches could be missed: build again when its transaction has ended"
        )
    return cast(datetime, frontier)


def failed_inputs(mart: Mart, warehouse: psycopg.Connection) -> list[str]:
    """Return the core tables among the mart's direct and indirect inputs whose last check result blocks a build."""
    known: dict[str, Contract | StreamContract] = {**contracts(), **stream_contracts()}
    feeds = [name.partition(".")[2] for name in core_inputs(mart)]
    rules = [f"{feed} {rule}" for feed in feeds for rule in read_suite(known[feed]).by_rule]
    values = {"feeds": feeds, "rules": rules}
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute((SQL / "failed_inputs.sql").read_bytes(), values).fetchall()


def core_inputs(mart: Mart) -> list[str]:
    """Return the loaded and streamed tables that a mart is built from, directly or through other marts; no seeds."""
    names = dict.fromkeys(name for name in mart.inputs if not name.startswith("marts."))
    for upstream in mart.upstream:
        names |= dict.fromkeys(core_inputs(catalogue()[upstream]))
    return [name for name in names if (ROOT / "warehouse" / Path(*name.split(".")) / "contract.yml").exists()]


def _touched(
    mart: Mart, warehouse: psycopg.Connection, settings: Settings, since: datetime, was_day: date, as_of_day: date
) -> list[date]:
    periods = (mart.folder / "periods.sql").read_bytes() + b"\nunion\n" + (SQL / "rebuild.sql").read_bytes()
    # core may hold dates that Python cannot represent (infinity, years BC) and that no mart shows
    query = b"select day from (" + periods + b") as p (day) where day >= %(first_day)s and day < %(end_day)s"
    values = {
        "mart": f"marts.{mart.mart}",
        "rebuild": REBUILD,
        "since": since,
        "was_day": was_day,
        "as_of_day": as_of_day,
        "zone": settings.reporting_timezone,
        "provisional_days": settings.provisional_days,
        "first_day": ALL[0],
        "end_day": ALL[1],
    }
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        days = set(cursor.execute(query, values))
    if settings.reporting_timezone == "UTC":
        return sorted(days)
    # ops.touched holds UTC days, which overlap the neighbouring days of another zone
    return sorted({day + timedelta(offset) for day in days for offset in (-1, 0, 1)})


def now(warehouse: psycopg.Connection) -> datetime:
    """Return the current time of the warehouse server."""
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        return cast(datetime, cursor.execute("select clock_timestamp()").fetchone())


def touch_what_follows(warehouse: psycopg.Connection, settings: Settings, since: datetime) -> None:
    """Mark the days of every mart that depend on what was touched since a time, so that the next build covers them.

    Call it before rows are removed, in the same transaction: afterwards the rows that lead to those days are gone.
    """
    for name, mart in tables().items():
        if state := _read_state(warehouse, name):
            days = _touched(mart, warehouse, settings, since, state.as_of_day, state.as_of_day)
            values = {"mart": f"marts.{name}", "rebuild": REBUILD, "days": days}
            warehouse.execute((SQL / "touch.sql").read_bytes(), values)


def _ranges(days: Iterable[date]) -> list[Range]:
    """Return at most MOST_RANGES half-open ranges that cover the days; gaps are filled, smallest first."""
    ranges: list[Range] = []
    for day in days:
        if ranges and day - ranges[-1][1] < GAP:
            ranges[-1] = (ranges[-1][0], day + timedelta(1))
        else:
            ranges.append((day, day + timedelta(1)))
    while len(ranges) > MOST_RANGES:
        gaps = [ranges[index + 1][0] - ranges[index][1] for index in range(len(ranges) - 1)]
        index = gaps.index(min(gaps))
        ranges[index : index + 2] = [(ranges[index][0], ranges[index + 1][1])]
    return ranges


def _aligned(ranges: Iterable[Range], mart: Mart) -> tuple[Range, ...]:
    """Return the ranges, extended to whole months for a mart that is built by month."""
    if mart.unit == "day":
        return tuple(ranges)
    months = [(start.replace(day=1), _next_month(end - timedelta(1))) for start, end in ranges]
    merged: list[Range] = []
    for start, end in months:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def complete_through(mart: Mart, warehouse: psycopg.Connection) -> datetime | None:
    """Return the earliest completeness of the mart's inputs in this snapshot; None when that of an input is unknown."""
    names = [name.partition(".")[2] for name in core_inputs(mart)]
    query = sql.SQL((SQL / "complete_through.sql").read_text(encoding="utf-8"))
    row = warehouse.execute(query, {"feeds": names, "marts": list(mart.upstream)}).fetchone()
    earliest = row[0] if row else None
    return earliest.astimezone(UTC) if earliest else None

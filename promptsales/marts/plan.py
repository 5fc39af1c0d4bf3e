"""What of a mart must be built: the days that were touched in core since, or everything."""

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
# what the sessions are called that read and write for Spark: they touch no days
READER = "promptsales marts"

# everything there is, and what may come: core.calendar ends there
ALL: Range = (date(1900, 1, 1), date(2041, 1, 1))
# gaps shorter than this are built with the days around them: reading one more range costs more than its days
GAP = timedelta(days=7)
MOST_RANGES = 8


@dataclass(frozen=True)
class Asked:
    """What a run is asked for; ``window`` builds exactly those days, whatever was touched."""

    as_of: datetime
    triggered_by: str
    window: Range | None = None
    is_full: bool = False


@dataclass(frozen=True)
class Standing:
    """Where a mart stands."""

    touched_through: datetime
    as_of_day: date
    definition: str
    zone: str


@dataclass(frozen=True)
class Plan:
    """What is to be built of one mart; ``reason`` says why nothing is; blocked: an input failed its audit."""

    span: Span
    since: datetime
    definition: str
    is_full: bool
    reason: str = ""
    is_blocked: bool = False

    @property
    def is_due(self) -> bool:
        """Whether there is anything to build."""
        return bool(self.span.ranges)


def definition(mart: Mart, settings: Settings) -> str:
    """Tells a changed mart from the same: its files, its job, its seeds and the settings its days depend on."""
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


def plan(mart: Mart, warehouse: psycopg.Connection, settings: Settings, asked: Asked) -> Plan:
    """Look up what was touched since the mart was built.

    Args:
        mart: the mart.
        warehouse: as its loader, in autocommit.
        settings: zone and provisional days.
        asked: by whom, as of when, and whether for more than what was touched.

    Raises:
        ConfigError: when a window is asked for and the mart was built by the days of another zone.
    """
    as_of_day = asked.as_of.astimezone(ZoneInfo(settings.reporting_timezone)).date() - timedelta(days=1)
    # before anything else is read: what is touched from now on is for the next build
    since = _frontier(warehouse)
    with warehouse.cursor(row_factory=class_row(Standing)) as cursor:
        found = cursor.execute(_STANDING, [mart.mart]).fetchone()
    _refuse_two_zones(mart, found, settings, asked)
    now = definition(mart, settings)
    failed = failed_inputs(mart, warehouse)
    is_full = asked.window is None and (asked.is_full or found is None or found.definition != now)
    ranges: tuple[Range, ...] = ()
    if failed:
        reason = f"its input {', '.join(failed)} failed its last audit"
    elif asked.window or is_full or found is None:
        ranges, reason = _aligned([asked.window or ALL], mart), ""
    else:
        days = _touched(mart, warehouse, settings, found.touched_through, found.as_of_day, as_of_day)
        ranges, reason = _aligned(_ranges(days), mart), "its inputs did not change"
    span = Span(ranges, as_of_day, settings.reporting_timezone, settings.provisional_days)
    # what was built before still follows core from where it did
    since = found.touched_through if asked.window and found else since
    return Plan(span, since, now, is_full, reason, is_blocked=bool(failed))


_STANDING = "select touched_through, as_of_day, definition, zone from ops.mart where mart = %s"


def _refuse_two_zones(mart: Mart, found: Standing | None, settings: Settings, asked: Asked) -> None:
    """Some days of one zone beside those of another would hold hours twice and lack others."""
    if asked.window and found and found.zone != settings.reporting_timezone:
        raise ConfigError(
            f"mart {mart.mart}: it was built by days of {found.zone}, the setting PROMPTSALES_REPORTING_TIMEZONE is "
            f"{settings.reporting_timezone}; build it without a window first, which builds all of it"
        )


def _frontier(warehouse: psycopg.Connection) -> datetime:
    """Whatever is touched by a transaction that is not seen yet is touched after this.

    Raises:
        TransientError: when a session writes touched days that does not show when it began.
    """
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        (frontier,) = cursor.execute((SQL / "frontier.sql").read_bytes(), {"reader": READER}).fetchall()
    if frontier is None:
        raise TransientError(
            "plan marts: a session of a role other than the loader's is writing ops.touched, and when it began is not "
            "shown; the days it touches could be missed: build again when its transaction has ended"
        )
    return cast(datetime, frontier)


def failed_inputs(mart: Mart, warehouse: psycopg.Connection) -> list[str]:
    """Return the core tables among its inputs, and theirs, of which the last result of a rule blocks."""
    known: dict[str, Contract | StreamContract] = {**contracts(), **stream_contracts()}
    feeds = [name.partition(".")[2] for name in core_inputs(mart)]
    rules = [f"{feed} {rule}" for feed in feeds for rule in read_suite(known[feed]).by_rule]
    values = {"feeds": feeds, "rules": rules}
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute((SQL / "failed_inputs.sql").read_bytes(), values).fetchall()


def core_inputs(mart: Mart) -> list[str]:
    """What a mart is made of in the end: tables that feeds fill, no seeds."""
    found = dict.fromkeys(name for name in mart.inputs if not name.startswith("marts."))
    for upstream in mart.upstream:
        found |= dict.fromkeys(core_inputs(catalogue()[upstream]))
    return [name for name in found if (ROOT / "warehouse" / Path(*name.split(".")) / "contract.yml").exists()]


def _touched(
    mart: Mart, warehouse: psycopg.Connection, settings: Settings, since: datetime, was_day: date, as_of_day: date
) -> list[date]:
    periods = (mart.folder / "periods.sql").read_bytes() + b"\nunion\n" + (SQL / "rebuild.sql").read_bytes()
    # core may hold days that no mart shows and Python has no date for: infinity, years before Christ
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
    # what was touched is told by UTC day
    return sorted({day + timedelta(offset) for day in days for offset in (-1, 0, 1)})


def now(warehouse: psycopg.Connection) -> datetime:
    """Return the warehouse's clock."""
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        return cast(datetime, cursor.execute("select clock_timestamp()").fetchone())


def touch_what_follows(warehouse: psycopg.Connection, settings: Settings, since: datetime) -> None:
    """Have each mart build again the days that follow from what was touched since, asked before rows are removed.

    Afterwards the rows by which a mart finds those days are gone. Belongs into the transaction that removes them.
    """
    for name, mart in tables().items():
        with warehouse.cursor(row_factory=class_row(Standing)) as cursor:
            standing = cursor.execute(_STANDING, [name]).fetchone()
        if standing:
            days = _touched(mart, warehouse, settings, since, standing.as_of_day, standing.as_of_day)
            values = {"mart": f"marts.{name}", "rebuild": REBUILD, "days": days}
            warehouse.execute((SQL / "touch.sql").read_bytes(), values)


def _ranges(days: Iterable[date]) -> list[Range]:
    """Days as few half-open ranges: small gaps are built too, and so are the smallest of too many."""
    found: list[Range] = []
    for day in days:
        if found and day - found[-1][1] < GAP:
            found[-1] = (found[-1][0], day + timedelta(1))
        else:
            found.append((day, day + timedelta(1)))
    while len(found) > MOST_RANGES:
        gaps = [found[place + 1][0] - found[place][1] for place in range(len(found) - 1)]
        place = gaps.index(min(gaps))
        found[place : place + 2] = [(found[place][0], found[place + 1][1])]
    return found


def _aligned(ranges: Iterable[Range], mart: Mart) -> tuple[Range, ...]:
    """Months are built whole."""
    if mart.unit == "day":
        return tuple(ranges)
    whole = [(start.replace(day=1), _next_month(end - timedelta(1))) for start, end in ranges]
    merged: list[Range] = []
    for start, end in whole:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def complete_through(mart: Mart, warehouse: psycopg.Connection) -> datetime | None:
    """The least of the mart's inputs, as this snapshot sees them; None where one of them is not known."""
    names = [name.partition(".")[2] for name in core_inputs(mart)]
    query = sql.SQL((SQL / "complete_through.sql").read_text(encoding="utf-8"))
    row = warehouse.execute(query, {"feeds": names, "marts": list(mart.upstream)}).fetchone()
    found = row[0] if row else None
    return found.astimezone(UTC) if found else None

"""One load for an hour, or as long as asked: which share of commits is late, and what else ran while they waited.

Airflow's DAGs and Spark run as they are scheduled; the stack must have been started with them.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench import causes, histogram
from bench.causes import Cause, Sampler
from bench.traffic import Load, settle, write
from promptsales.connections import connected
from promptsales.monitoring import latency
from promptsales.settings import ROOT, Settings

EVENTS_A_SECOND, ROWS = 1_000, 5
# later than this is late; the goal is this share in time
LATE_MS, GOAL = 1_000, 0.999
PICTURE = ROOT / "bench" / "stream.svg"
# rows of so long a time are compared at once
_SLICE = timedelta(minutes=1)

Commits = list[tuple[float, float]]


def run(
    here: Settings, ads: psycopg.Connection, warehouse: psycopg.Connection, campaigns: list[object], hours: float
) -> None:
    """Write for so many hours, then print the share in time, a histogram and causes, and draw a picture."""
    load = Load(EVENTS_A_SECOND, ROWS, round(hours * 3600))
    since = datetime.now(UTC)
    with ExitStack() as stack:
        clusters = {name: stack.enter_context(connected(here, name)) for name in ("warehouse", "promptads")}
        sampler = stack.enter_context(Sampler(here.state, clusters))
        written = write(ads, campaigns, load)
        settle(here, warehouse)
    commits = list(_read(ads, warehouse, since))
    if len(commits) < written:
        sys.exit(f"{len(commits)} of {written} rows arrived; check the stream with `promptsales status`")
    _report(commits, [*sampler.causes, *_read_logs(here.state / "logs", since.timestamp())], load)


def _read(ads: psycopg.Connection, warehouse: psycopg.Connection, since: datetime) -> Iterator[tuple[float, float]]:
    """Yield when each row was committed at the source and in the warehouse, in seconds since 1970."""
    end = datetime.now(UTC)
    while since < end:
        for at, arrived in latency.read_commits(ads, warehouse, since, since + _SLICE):
            yield at.timestamp(), arrived.timestamp()
        since += _SLICE


def _read_logs(folder: Path, since: float) -> list[Cause]:
    """Return the pauses that logs tell of, since a time."""
    found: list[Cause] = []
    for name in ("kafka", "connect"):
        for path in folder.glob(f"{name}.gc*"):
            found += causes.read_collections(name, path.read_text(encoding="utf-8").splitlines())
    for path in folder.glob("stream-*.log"):
        found += causes.read_rebalances(path.read_text(encoding="utf-8", errors="replace").splitlines())
    return [cause for cause in found if cause.ends > since]


def _report(commits: Commits, found: list[Cause], load: Load) -> None:
    delays = sorted((arrived - at) * 1000 for at, arrived in commits)
    late = [(at, arrived) for at, arrived in commits if (arrived - at) * 1000 > LATE_MS]
    counts, share = histogram.count(delays), 1 - len(late) / len(delays)
    p50, p99, p999 = (latency.percentile(delays, part) for part in (0.5, 0.99, 0.999))
    print(f"{len(delays)} commits in {load.seconds} s at {load.events_a_second} events/s; {share:.3%} within 1 s")
    print(f"goal {GOAL:.1%}; p50 {p50:.0f}, p99 {p99:.0f}, p99.9 {p999:.0f}, longest {delays[-1]:.0f} ms")
    print(histogram.as_text(counts))
    _print_causes(late, found, load.seconds)
    title = (
        f"Commit to commit, {load.seconds / 3600:g} hours at {load.events_a_second:,} events/s: {share:.2%} within 1 s"
    )
    PICTURE.write_text(histogram.as_svg(counts, title, LATE_MS), encoding="utf-8")
    print(f"picture: {PICTURE.relative_to(ROOT)}")


def _print_causes(late: Commits, found: list[Cause], seconds: int) -> None:
    """Print what ran while late commits waited, beside the share of the time in which it ran at all."""
    ran = causes.sum_seconds(found)
    print(f"{len(late)} commits were late; while they waited (several may apply):")
    for name, number in causes.count_causes(late, found).items():
        print(f"{number:>10,} {name}, which it did for {min(ran[name] / seconds, 1):.1%} of the time")
    print(f"{causes.count_unexplained(late, found):>10,} nothing of these")

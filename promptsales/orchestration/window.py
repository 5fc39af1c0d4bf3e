"""Decide which rows a run of an hourly DAG loads."""

from collections.abc import Mapping
from datetime import UTC, datetime

from promptsales.errors import ConfigError
from promptsales.feeds.models import Window


def window_of(
    run_type: str, interval: tuple[datetime | None, datetime | None], params: Mapping[str, str | None]
) -> Window | None:
    """Return the window to replay, or None for the delta from the watermark to the frontier.

    A backfill replays its data interval, and params replay ``[start, end)``. Any other run loads the delta, regardless
    of its data interval.

    Args:
        run_type: Airflow's ``run_type``.
        interval: start and end of the run's data interval; both None for a manual run.
        params: ``start`` and ``end`` in ISO 8601; a time without a zone is UTC.

    Raises:
        ConfigError: when only one of the two is given, one is not a time, or the start is not before the end.
    """
    start, end = interval if run_type == "backfill" else (_moment(params, "start"), _moment(params, "end"))
    if start is None and end is None and run_type != "backfill":
        return None
    if start is None or end is None:
        raise ConfigError("a window needs both start and end; leave both empty to load from the watermark")
    if start >= end:
        raise ConfigError(f"start {start} is not before end {end}; give the earlier time as start")
    return Window(start=start, end=end)


def _moment(params: Mapping[str, str | None], name: str) -> datetime | None:
    text = params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{name} {text!r} is not a time; write it like 2026-11-23T14:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

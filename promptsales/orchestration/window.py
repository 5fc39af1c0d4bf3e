"""Decide which rows a run loads, from its type, its data interval and the form it was triggered with."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from promptsales.errors import ConfigError
from promptsales.feeds.models import Window, make_window

# the names of a window's params
WINDOW = ("start", "end")


def refuse_unknown_keys(conf: Mapping[str, Any] | None, known: Collection[str]) -> None:
    """Check the configuration of a triggered run: Airflow ignores keys that the DAG has no params for.

    Raises:
        ConfigError: naming the keys that are not known.
    """
    if unknown := sorted(set(conf or {}) - set(known)):
        raise ConfigError(
            f"the run's configuration has {', '.join(map(repr, unknown))}, expected {' and '.join(known) or 'no key'}; "
            "trigger the DAG again"
        )


def window_of(
    run_type: str,
    interval: tuple[datetime | None, datetime | None],
    params: Mapping[str, str | None],
    now: datetime,
) -> Window | None:
    """Return the window to replay, or None for the delta from the watermark to the frontier.

    A backfill replays its data interval, and params replay ``[start, end)``. Any other run loads the delta, regardless
    of its data interval.

    Args:
        run_type: Airflow's ``run_type``.
        interval: start and end of the run's data interval; both None for a manual run.
        params: ``start`` and ``end`` in ISO 8601; a time without a zone is UTC.
        now: the current time.

    Raises:
        ConfigError: when only one of the two is given, one is not a time, the start is not before the end, or it is in
            the future.
    """
    start, end = interval if run_type == "backfill" else (_moment(params, "start"), _moment(params, "end"))
    if start is None and end is None and run_type != "backfill":
        return None
    return make_window(start, end, now)


def _moment(params: Mapping[str, str | None], name: str) -> datetime | None:
    text = params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{name} {text!r} is not a time; write it like 2026-11-23T14:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

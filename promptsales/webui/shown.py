"""How values look on the page: times, ages, numbers, links into Airflow. Rows are JSON, so times are text."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

_NONE = "\N{EN DASH}"
# as PostgreSQL writes a time into JSON
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d")
_MISSING = Markup('<span class="none">&ndash;</span>')


def parse(text: Any) -> datetime | None:
    """Return the time of a JSON value."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def when(text: Any) -> Markup:
    """Return a time in UTC to the minute, with the exact one as its title; a script adds how long ago it is."""
    at = parse(text)
    if at is None:
        return _MISSING
    exact = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    today = at.date() == datetime.now(UTC).date()
    shown = f"{at:%H:%M}" if today else f"{at:%Y-%m-%d %H:%M}"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(exact, f"{at:%Y-%m-%d %H:%M:%S}", shown)


def span(seconds: float | None) -> str:
    """Return a duration in its largest one or two units: ``45 s``, ``12 min``, ``3 h 20 min``, ``5 d``."""
    if seconds is None:
        return _NONE
    whole = timedelta(seconds=max(0.0, float(seconds)))
    if whole < timedelta(seconds=1):
        return f"{whole / timedelta(milliseconds=1):.0f} ms"
    minutes = whole.total_seconds() / 60
    if minutes < 1:
        return f"{whole.total_seconds():.1f} s" if whole.total_seconds() < 10 else f"{whole.total_seconds():.0f} s"
    if minutes < 60:
        return f"{minutes:.0f} min"
    if whole.days < 2:
        hours, rest = divmod(round(minutes), 60)
        return f"{hours} h {rest:02} min" if rest else f"{hours} h"
    return f"{whole.days} d"


def number(value: Any, digits: int = 0) -> str:
    """Return a number with thousands separators; a missing one is a dash."""
    return _NONE if value is None else f"{float(value):,.{digits}f}"


def size(value: Any) -> str:
    """Return a number of bytes in its unit."""
    if value is None:
        return _NONE
    left = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if left < 1024 or unit == "GB":
            return f"{left:,.0f} {unit}" if unit == "B" else f"{left:,.1f} {unit}"
        left /= 1024
    return _NONE


def run_link(triggered_by: str | None, base: str) -> Markup:
    """Return a link to the run in Airflow that did something, or the command's name."""
    if not triggered_by:
        return _MISSING
    origin, _, what = triggered_by.partition(":")
    if origin != "airflow" or "/" not in what:
        return Markup('<span class="command">{}</span>').format(
            f"promptsales {what}" if origin == "cli" else triggered_by
        )
    dag_id, _, run_id = what.partition("/")
    href = f"{base}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"
    return Markup('<a class="airflow" href="{}" title="{}">{}</a>').format(href, run_id, dag_id)


def soft(name: str) -> Markup:
    """Return a name that a narrow column breaks after its underscores."""
    return Markup("_<wbr>").join(name.split("_"))


def steps(text: str) -> Markup:
    """Return a text in which `commands` are set as code."""
    parts = str(escape(text)).split("`")
    return Markup("".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts)))  # noqa: S704


def json_value(value: Any) -> str:
    """Return a value of a payload as text; a time in UTC, to the microsecond where it has some."""
    if value is None:
        return "null"
    if isinstance(value, str) and _TIME.fullmatch(value) and (at := parse(value)):
        return at.isoformat(sep=" ").replace("+00:00", "Z")
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)

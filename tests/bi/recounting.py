"""Recompute from core the rows that each chart shows."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from promptsales.settings import Settings

HERE = Path(__file__).parent
_FILES: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((HERE / "expected").glob("*.yml"))
}
EXPECTED: dict[str, dict[str, str]] = {name: file["charts"] for name, file in _FILES.items()}

Row = dict[str, Any]


@contextmanager
def recounting(stack: Settings) -> Iterator[psycopg.Connection]:
    """Connect to the warehouse as superuser, in UTC, and compute the facts of the domain from core."""
    password = stack.secrets.password("postgres")
    address = make_conninfo(stack.address("warehouse"), user="postgres", password=password, options="-c TimeZone=UTC")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute((HERE / "facts.sql").read_bytes())
        yield connection


def recount(facts: psycopg.Connection, dashboard: str, chart: str, asked: Row) -> list[Row]:
    """Return the rows that a chart should show, in the currency and days that were asked for."""
    query, parts = EXPECTED[dashboard][chart], _FILES[dashboard]
    for part in ("shown", "newest", "created"):
        query = query.replace(f"{{{part}}}", str(parts.get(part)))
    with facts.cursor(row_factory=dict_row) as cursor:
        return comparable(_pivot(cursor.execute(query.encode(), asked).fetchall()))


def _pivot(rows: list[Row]) -> list[Row]:
    """Turn rows of ``series`` and ``value`` into one row for each point of the axis, as Superset does."""
    if not rows or "series" not in rows[0]:
        return rows
    points: dict[Any, Row] = defaultdict(dict)
    for row in rows:
        (axis,) = row.keys() - {"series", "value"}
        points[row[axis]] |= {axis: row[axis], row["series"]: row["value"]}
    return list(points.values())


def comparable(rows: list[Row]) -> list[Row]:
    """Return rows in one order, without missing values, with numbers and days of one type."""
    plain = [{name: _plain(value) for name, value in row.items() if value is not None} for row in rows]
    return sorted(plain, key=lambda row: sorted((name, str(v)) for name, v in row.items() if isinstance(v, str)))


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, int | float | Decimal) else value

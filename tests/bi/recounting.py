"""Recount from core what a chart adds up to."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import yaml

_FILE: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "expected.yml").read_text(encoding="utf-8"))
_PARTS: dict[str, str] = _FILE["parts"]
EXPECTED: dict[str, dict[str, str]] = _FILE["dashboards"]


def recount(core: psycopg.Connection, dashboard: str, chart: str, asked: dict[str, Any]) -> Decimal:
    """Return what a chart should add up to, in the currency and time range that were asked for."""
    query = EXPECTED[dashboard][chart]
    while "{" in query:  # a part may name another
        query = query.format(**_PARTS)
    ((value,),) = core.execute(query.encode(), asked).fetchall()
    return Decimal(value)

"""Which documents a cursor range selects. Applications write both BSON dates and ISO text, so both are asked for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from promptsales.extract.mongo.rows import Document, field
from promptsales.extract.mongo.values import Misfit, moment

Filter = dict[str, Any]

# text sorts by its own zone's clock; no zone is further from UTC
_ZONES = timedelta(days=1)


def between(cursor: str, start: datetime, end: datetime | None) -> Filter:
    """Documents whose cursor may lie in ``[start, end)``: dates exactly, text as far as its first ten letters tell.

    Without an end, a cursor that is neither date nor text counts too: what it means is for the checks to say.
    """
    dates: Filter = {"$gte": start}
    texts: Filter = {"$gte": f"{start - _ZONES:%Y-%m-%d}"}
    if end is not None:
        dates["$lt"], texts["$lt"] = end, f"{end + 2 * _ZONES:%Y-%m-%d}"
    clauses: list[Filter] = [{cursor: dates}, {cursor: texts}]
    if end is None:
        clauses.append({cursor: {"$not": {"$type": ["date", "string"]}}})
    return {"$or": clauses}


def is_in(cursor: str, start: datetime, end: datetime) -> Callable[[Document], bool]:
    """What tells whether a document's cursor lies in ``[start, end)``, whichever way it is written."""
    path = cursor.split(".")

    def check(document: Document) -> bool:
        try:
            value = field(document, path)
            return value is not None and start <= moment(value) < end
        except Misfit:
            return False

    return check

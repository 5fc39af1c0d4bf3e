"""Select documents by a range of the cursor, which applications write both as BSON dates and as ISO text."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from promptsales.extract.mongo.rows import Document, field
from promptsales.extract.mongo.values import Misfit, convert_time

Filter = dict[str, Any]

# text sorts by its local time, which differs from UTC by less than this
_ZONES = timedelta(days=1)


def build_filter(cursor: str, start: datetime, end: datetime | None) -> Filter:
    """Return a filter for documents whose cursor is in ``[start, end)``: dates exactly, text to within two days.

    Without an end, the filter includes cursors that are neither date nor text, so that the checks report them.
    """
    dates: Filter = {"$gte": start}
    texts: Filter = {"$gte": f"{start - _ZONES:%Y-%m-%d}"}
    if end is not None:
        dates["$lt"], texts["$lt"] = end, f"{end + 2 * _ZONES:%Y-%m-%d}"
    clauses: list[Filter] = [{cursor: dates}, {cursor: texts}]
    if end is None:
        clauses.append({cursor: {"$not": {"$type": ["date", "string"]}}})
    return {"$or": clauses}


def make_range_check(cursor: str, start: datetime, end: datetime) -> Callable[[Document], bool]:
    """Return a function that checks whether a document's cursor is in ``[start, end)``, as a date or as text."""
    path = cursor.split(".")

    def check(document: Document) -> bool:
        try:
            value = field(document, path)
            return value is not None and start <= convert_time(value) < end
        except Misfit:
            return False

    return check

"""Readable texts for codes and numbers of the marts."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from promptsales.printable import printable

# columns whose values are codes; the texts of others are names that people gave
_CODED = frozenset({"currency", "measure", "method", "status", "type"})
_LABELS = {
    "XXX": "no currency",
    "utm_campaign": "UTM campaign",
    "utm_content": "UTM content",
    "gclid": "Google click id",
    "fbclid": "Meta click id",
    "click_id": "click id",
    "ctr": "CTR",
    "cpc": "CPC",
    "cpa": "CPA",
}
_SMALL = Decimal("0.01")


def label(column: str, value: Any) -> str:
    """Return the text of a value: codes are spelt out, names stay as they are."""
    if column in _CODED and isinstance(value, str):
        return printable(_LABELS.get(value, value.replace("_", " ")))
    return printable(value)


def cell(column: str, value: Any) -> str:
    """Return the text of a table's cell; numbers with a fraction have two decimals, very small ones five."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal) and value.as_tuple().exponent != 0:
        return f"{value:,.5f}" if 0 < abs(value) < _SMALL else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int | Decimal) else label(column, value)


def is_number(value: Any) -> bool:
    """Return whether a value is aligned to the right."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)

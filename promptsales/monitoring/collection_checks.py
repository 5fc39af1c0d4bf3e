"""The warning that looks into a collection: a field that applications write in more than one BSON type."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from promptsales.extract.mongo.reader import Content, ContentReader
from promptsales.failures.mongo import mongo_errors
from promptsales.quality.verdict import make_warning, record
from promptsales.specs.feed import MADE_HERE, Contract

# of the documents that have the field, so many may have it in another type than most
SHARE = 0.01
_NUMBERS = ("int", "long", "double", "decimal")


def check_types(contract: Contract, content: Content, warehouse: psycopg.Connection) -> dict[str, dict[str, int]]:
    """Look for fields of mixed types, and record the result; returns them, with the documents of each type.

    The collection counts them itself, so no value leaves it.
    """
    kinds = {column.origin: column.type for column in contract.columns if column.transform not in MADE_HERE}
    reader = ContentReader(contract, content)
    types = {f"f{number}": {"$type": f"${origin}"} for number, origin in enumerate(kinds)}
    with mongo_errors(f"read {contract.source.relation}"):
        groups = list(reader.collection.aggregate([{"$group": {"_id": types, "documents": {"$sum": 1}}}]))
    found = {origin: dict(counted) for origin, counted in _counted(kinds, groups).items() if _is_mixed(counted)}
    verdict = make_warning(
        "bson_types_mixed",
        "expect_fields_to_have_one_bson_type",
        f"No field is in another type than most in more than {SHARE:.0%} of the documents that have it.",
        bool(found),
    )
    record(warehouse, contract.table, None, [verdict._replace(unexpected_count=len(found))])
    return found


def _counted(kinds: Mapping[str, str], groups: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Documents of each type, field by field; those without a value do not count."""
    found: dict[str, Counter[str]] = {origin: Counter() for origin in kinds}
    for group in groups:
        for (origin, kind), name in zip(kinds.items(), group["_id"].values(), strict=True):
            if name not in ("missing", "null"):
                found[origin][_read_as(name, kind)] += group["documents"]
    return found


def _read_as(name: str, kind: str) -> str:
    """Types that a load reads alike are one: numbers, and dates that are written as text."""
    if name in _NUMBERS:
        return "number"
    return "date" if name == "string" and kind.startswith("timestamp") else name


def _is_mixed(counted: Counter[str]) -> bool:
    return bool(counted) and counted.total() - max(counted.values()) > SHARE * counted.total()

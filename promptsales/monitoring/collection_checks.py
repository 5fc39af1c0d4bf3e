"""Warn about fields of a collection that applications write with several BSON types."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg

from promptsales.extract.mongo.reader import Content, ContentReader
from promptsales.failures.mongo import mongo_errors
from promptsales.quality.verdict import make_warning, record
from promptsales.specs.column import MADE_HERE
from promptsales.specs.feed import Contract

# largest share of a field's documents whose type may differ from the most frequent one
SHARE = 0.01
_NUMBERS = ("int", "long", "double", "decimal")


def check_types(contract: Contract, content: Content, warehouse: psycopg.Connection) -> dict[str, dict[str, int]]:
    """Record and return the fields with mixed types, with the number of documents per type.

    MongoDB counts the types, so no value leaves the collection.
    """
    kinds = {column.origin: column.type for column in contract.columns if column.transform not in MADE_HERE}
    reader = ContentReader(contract, content)
    types = {f"f{number}": {"$type": f"${origin}"} for number, origin in enumerate(kinds)}
    with mongo_errors(f"read {contract.source.relation}"):
        groups = list(reader.collection.aggregate([{"$group": {"_id": types, "documents": {"$sum": 1}}}]))
    mixed = {origin: dict(counts) for origin, counts in _count_types(kinds, groups).items() if _is_mixed(counts)}
    verdict = make_warning(
        "bson_types_mixed",
        "expect_fields_to_have_one_bson_type",
        f"At most {SHARE:.0%} of a field's documents have a type other than its most frequent one.",
        bool(mixed),
    )
    record(warehouse, contract.table, None, [verdict._replace(unexpected_count=len(mixed))])
    return mixed


def _count_types(kinds: Mapping[str, str], groups: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """Return the number of documents per type for each field, without documents that have no value."""
    counts: dict[str, Counter[str]] = {origin: Counter() for origin in kinds}
    for group in groups:
        for (origin, kind), name in zip(kinds.items(), group["_id"].values(), strict=True):
            if name not in ("missing", "null"):
                counts[origin][_read_as(name, kind)] += group["documents"]
    return counts


def _read_as(name: str, kind: str) -> str:
    """Return one name for the types that a load reads alike: all numbers, and timestamps written as text."""
    if name in _NUMBERS:
        return "number"
    return "date" if name == "string" and kind.startswith("timestamp") else name


def _is_mixed(counts: Counter[str]) -> bool:
    return bool(counts) and counts.total() - max(counts.values()) > SHARE * counts.total()

"""Addresses and numbers planted in every text that people may type into a source, and the search for them."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from pymongo.database import Database
from pymongo.errors import WriteError

# both short enough for a column of 20 characters; the number of the column shows which one leaked
ADDRESS, NUMBER = "q{:03}@zq7.example", "+4977700{:03}"
NEEDLES = ("zq7.example", "4977700")
_REFUSED = (psycopg.errors.CheckViolation, psycopg.errors.StringDataRightTruncation, psycopg.errors.UniqueViolation)
# MongoDB's code for a document that its collection's validator refuses
_VALIDATOR = 121
_TEXTS = """
    select attname, format_type(atttypid, null) from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped
      and format_type(atttypid, null) in ('text', 'text[]', 'character varying', 'character', 'jsonb', 'json')
    order by attnum
"""
_HELD = """
    select format('%I.%I', n.nspname, c.relname), a.attname, a.atttypid = 'bytea'::regtype
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'migrations')
    order by 1, 2
"""


class Place(NamedTuple):
    """A text of a source."""

    relation: str
    column: str


def plant(source: psycopg.Connection, relation: str, key: str, numbers: Iterator[int]) -> set[Place]:
    """Write an address into each text column of one row, and a number into those of another; return what was taken.

    A column whose own check allows none has nothing to leak.
    """
    table = sql.Identifier(*relation.split("."))
    keys = [
        row[0] for row in source.execute(sql.SQL("select {} from {} order by 1").format(sql.Identifier(key), table))
    ]
    assert len(keys) >= 2, f"{relation} has {len(keys)} rows, expected 2: add rows to the test"
    taken = set()
    for number, (column, kind) in zip(numbers, source.execute(_TEXTS, [relation]).fetchall(), strict=False):
        update = sql.SQL("update {} set {} = %s where {} = %s").format(
            table, sql.Identifier(column), sql.Identifier(key)
        )
        for row, shape in zip(keys, (ADDRESS, NUMBER), strict=False):
            try:
                source.execute(update, [_value(shape.format(number), kind), row])
            except _REFUSED:
                continue
            taken.add(Place(relation, column))
    return taken


def _value(text: str, kind: str) -> Any:
    if kind.startswith("json"):
        return json.dumps({"age_min": 18, "countries": [f"to {text}"], "interests": text, "other": text})
    return [text, f"and {text}"] if kind == "text[]" else text


def plant_in_documents(
    database: Database[dict[str, Any]], relation: str, fields: dict[str, str], numbers: Iterator[int]
) -> set[Place]:
    """Write an address into each field of one document, and a number into those of another."""
    collection = database[relation.split(".")[1]]
    keys = [document["_id"] for document in collection.find({}, {"_id": 1}).sort("_id", 1)]
    assert len(keys) >= 2, f"{relation} has {len(keys)} documents, expected 2: add documents to the test"
    taken = set()
    for number, (field, kind) in zip(numbers, fields.items(), strict=False):
        for key, shape in zip(keys, (ADDRESS, NUMBER), strict=False):
            try:
                _set(collection, key, field, _value(shape.format(number), kind))
            except WriteError as error:
                if error.code != _VALIDATOR:
                    raise
                continue
            taken.add(Place(relation, field))
    return taken


def _set(collection: Any, key: Any, field: str, value: Any) -> None:
    if field == "_id":
        collection.insert_one(collection.find_one({"_id": key}) | {"_id": value})
    else:
        collection.update_one({"_id": key}, {"$set": {field: value}})


def search(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Return the columns of a whole database that hold a planted text, with the planted texts."""
    found: dict[str, list[str]] = {}
    for relation, column, is_bytes in connection.execute(_HELD).fetchall():
        text = sql.SQL("encode({}, 'escape')" if is_bytes else "{}::text").format(sql.Identifier(column))
        query = sql.SQL("select {0} from {1} where {0} ~ %s").format(text, sql.SQL(relation))
        if rows := connection.execute(query, ["|".join(NEEDLES)]).fetchall():
            found[f"{relation}.{column}"] = [value[:80] for (value,) in rows]
    return found

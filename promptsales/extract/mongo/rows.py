"""Make rows of staging from documents: only fields of the contract, prompts hashed, fields of wrong types marked."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from promptsales.extract.mongo.ids import format_id, is_queryable, parse_id
from promptsales.extract.mongo.values import Misfit, check_utf8, limit_to_index, make_converter
from promptsales.hashing.hashes import Key, make_transform
from promptsales.specs.column import MADE_HERE, REDACTED, Column
from promptsales.specs.feed import Contract

Document = dict[str, Any]
# the columns in order, then the list of misfits
Row = tuple[Any, ...]


class RowMaker:
    """Makes the rows of a feed."""

    def __init__(self, contract: Contract, key: Key) -> None:
        self.contract = contract
        self._makers = [_maker(column, contract, key) for column in contract.columns]
        self._key_misfit = f"type_mismatch: {contract.column(contract.key).origin}"
        self.projection = {"_id": 1} | {origin: 1 for origin in contract.origins}

    def make_row(self, document: Document) -> Row:
        """Return the row of a document."""
        values: list[Any] = []
        # a dict, because a field may make two columns; a document whose _id no query can name goes to quarantine
        misfits: dict[str, None] = {} if is_queryable(document.get("_id")) else {self._key_misfit: None}
        for origin, outer, inner, make in self._makers:
            value = document.get(outer)
            try:
                if inner and value is not None:
                    value = field(value, inner)
                values.append(None if value is None and outer != "_id" else make(value))  # an id may be null
            except Misfit:
                values.append(None)
                misfits[f"type_mismatch: {origin}"] = None
        return (*values, list(misfits) or None)

    def make_delete(self, key: str, at: datetime) -> Row:
        """Return the row that deletes a document; its other values are completed from core."""
        known = {self.contract.key: key, "deleted_at": at}
        return (*(known.get(name) for name in self.contract.column_names), None)

    def make_unreadable(self, key: str) -> Row:
        """Return the row, for quarantine, of a document that was written and that its ``_id`` does not find."""
        return (*self.make_row({"_id": parse_id(key)})[:-1], [self._key_misfit])


def field(value: Any, path: Sequence[str]) -> Any:
    """Return a field of a document by its path; None if a part of the path is missing or null.

    Raises:
        Misfit: when a part of the path is not a document.
    """
    for name in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Misfit
        value = value.get(name)
    return value


def _maker(column: Column, contract: Contract, key: Key) -> tuple[str, str, list[str], Callable[[Any], Any]]:
    """Return a column's origin, the outer field and inner path of its value, and the function that converts it."""
    if column.name == contract.key:
        return column.origin, "_id", [], limit_to_index(format_id)
    if column.transform in MADE_HERE:
        made = key.kid if column.transform == "pii_kid" else None
        return column.origin, "_id", [], lambda _: made
    outer, *inner = column.origin.split(".")
    if column.transform not in {"as_is", *REDACTED}:
        return column.origin, outer, inner, _of_text(column, key)
    make = make_converter(column.type)
    if column.transform in REDACTED:
        make = _redacted(make, make_transform(column, key))
    is_indexed = column.type == "text" and column.name in contract.references
    return column.origin, outer, inner, limit_to_index(make) if is_indexed else make


def _redacted(make: Callable[[Any], Any], redaction: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: redaction(make(value))


def _of_text(column: Column, key: Key) -> Callable[[Any], Any]:
    make = make_transform(column, key)

    def made(value: Any) -> Any:
        if not isinstance(value, str):
            raise Misfit
        return make(check_utf8(value))

    return made

"""Documents as rows of staging: only fields that the contract names, prompts hashed, wrong types named."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from promptsales.extract.mongo.ids import id_of, is_askable, key_text
from promptsales.extract.mongo.values import Misfit, clean, converter, indexed
from promptsales.hashing.hashes import Key, transformed
from promptsales.specs.feed import MADE_HERE, Column, Contract

Document = dict[str, Any]
# the columns in order, then the fields of wrong types
Row = tuple[Any, ...]


class Rows:
    """Makes the rows of one feed."""

    def __init__(self, contract: Contract, key: Key) -> None:
        self.contract = contract
        self._makers = [_maker(column, contract, key) for column in contract.columns]
        self._key_misfit = f"type_mismatch: {contract.column(contract.key).origin}"
        self.projection = {"_id": 1} | {origin: 1 for origin in contract.origins}

    def of(self, document: Document) -> Row:
        """A document's row."""
        values: list[Any] = []
        # a field may make two columns; and a document that cannot be asked for could neither be read again nor deleted
        misfits: dict[str, None] = {} if is_askable(document.get("_id")) else {self._key_misfit: None}
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

    def deleted(self, key: str, at: datetime) -> Row:
        """The row that says that a document is gone; what else core knows of it stays."""
        known = {self.contract.key: key, "deleted_at": at}
        return (*(known.get(name) for name in self.contract.column_names), None)

    def unreadable(self, key: str) -> Row:
        """Return the row of a document that was written but cannot be asked for by its ``_id``: for quarantine."""
        return (*self.of({"_id": id_of(key)})[:-1], [self._key_misfit])


def field(value: Any, path: Sequence[str]) -> Any:
    """A field within a document; None where it, or what holds it, is missing or null.

    Raises:
        Misfit: where what should hold it is no document.
    """
    for name in path:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Misfit
        value = value.get(name)
    return value


def _maker(column: Column, contract: Contract, key: Key) -> tuple[str, str, list[str], Callable[[Any], Any]]:
    """Where a column's value is and what makes the column of it; its origin first, by which a misfit is named."""
    if column.name == contract.key:
        return column.origin, "_id", [], indexed(key_text)
    if column.transform in MADE_HERE:
        made = key.kid if column.transform == "pii_kid" else None
        return column.origin, "_id", [], lambda _: made
    outer, *inner = column.origin.split(".")
    if column.transform != "as_is":
        return column.origin, outer, inner, _of_text(column, key)
    make = converter(column.type)
    is_indexed = column.type == "text" and column.name in contract.references
    return column.origin, outer, inner, indexed(make) if is_indexed else make


def _of_text(column: Column, key: Key) -> Callable[[Any], Any]:
    make = transformed(column, key)

    def made(value: Any) -> Any:
        if not isinstance(value, str):
            raise Misfit
        return make(clean(value))

    return made

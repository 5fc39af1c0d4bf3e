"""The contracts of what comes by change events: a source table, its topic, and the table it is kept in.

``warehouse/core/<table>/contract.yml`` and ``warehouse/realtime/<table>/contract.yml`` with ``path: stream``.
Publication, grants, decoder, UPSERT and comments are derived from them.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from promptsales.errors import ConfigError
from promptsales.names import (
    OWN_OF_HISTORY,
    OWN_OF_STREAM,
    Name,
    Relation,
    TableName,
    refuse_origin,
    refuse_own,
    topic_part,
)
from promptsales.settings import ROOT
from promptsales.specs.feed import Column, PiiClass, Touched, _Model, is_streamed, references

Connector = Literal["promptads", "promptcrm"]
Layer = Literal["core", "realtime"]

# in the order of one transaction: parents before what refers to them
_LAYERS: tuple[Layer, ...] = ("core", "realtime")
# what may come by change event in clear; Debezium hashes nothing
_ALLOWED: frozenset[PiiClass] = frozenset({"none", "quasi", "pseudonymous"})


class StreamSource(_Model):
    """Which connector reads it, and the relation."""

    system: Connector
    relation: Relation


class StreamColumn(Column):
    """One column; of a JSON object only the listed keys are kept."""

    transform: Literal["as_is"] = "as_is"
    keys: tuple[str, ...] = ()


class StreamContract(_Model):
    """One source table and the table that follows it, event by event."""

    table: TableName
    layer: Layer
    description: str
    source: StreamSource
    path: Literal["stream"]
    key: Name
    columns: tuple[StreamColumn, ...]
    history: tuple[Name, ...] = ()
    touched: Touched | None = Field(default=None, description="what a changed row makes the marts rebuild")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = self.column_names
        used = {self.key, *self.history, *(self.touched.columns if self.touched else ())}
        if missing := used - set(names):
            raise ValueError(f"{', '.join(sorted(missing))} is used but is no column; columns are {', '.join(names)}")
        if len(set(names)) != len(names):
            raise ValueError("a column is named twice")
        refuse_own(names, OWN_OF_STREAM)
        refuse_own((self.key, *self.history) if self.history else (), OWN_OF_HISTORY)
        for column in self.columns:
            refuse_origin(column.name, column.origin, is_field=False)
        if self.touched and not self.touched.entity:
            raise ValueError("touched names no entity: of a streamed table it must say whose days they are")
        return self

    @model_validator(mode="after")
    def _nothing_personal(self) -> Self:
        for column in self.columns:
            if column.pii not in _ALLOWED:
                raise ValueError(
                    f"{column.name} is {column.pii}: a change event hashes nothing, so it must not be read"
                )
            if bool(column.keys) is not (column.type == "jsonb"):
                raise ValueError(f"{column.name}: a jsonb column lists the keys that are kept, no other column does")
        return self

    @property
    def late_after(self) -> timedelta:
        """How long ago it may be complete before it is late: changes are applied within seconds."""
        return timedelta(minutes=1)

    @property
    def stale_after(self) -> timedelta:
        """How long ago it may be complete before it is stale."""
        return timedelta(minutes=15)

    @property
    def topic(self) -> str:
        """Where its events are."""
        return f"{self.source.system}.{topic_part(self.source.relation)}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns in the warehouse."""
        return tuple(column.name for column in self.columns)

    @property
    def origins(self) -> tuple[str, ...]:
        """The columns at the source: all that is published."""
        return tuple(column.origin for column in self.columns)

    @property
    def references(self) -> tuple[str, ...]:
        """The columns that name other rows, by the naming law."""
        return references(self.column_names, self.key)

    @property
    def key_origin(self) -> str:
        """The key at the source."""
        return self._key_column.origin

    @property
    def key_type(self) -> str:
        """The key's type."""
        return self._key_column.type

    @property
    def _key_column(self) -> StreamColumn:
        return next(column for column in self.columns if column.name == self.key)

    @property
    def folder(self) -> Path:
        """Where the contract, ``table.sql`` and ``expectations.yml`` lie."""
        return ROOT / "warehouse" / self.layer / self.table


def read(path: Path) -> StreamContract:
    """Read one contract; its folder says its layer.

    Raises:
        ConfigError: naming the file, the place in it and what is wrong there.
    """
    try:
        return StreamContract.model_validate({**_document(path), "layer": path.parent.parent.name})
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        found = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'contract'}: {item['msg'].removeprefix('Value error, ')}"
            for item in faults
        )
        known = ", ".join(name for name in StreamContract.model_fields if name != "layer")
        raise ConfigError(f"contract {path}: {found}; keys are {known}") from None


def _document(path: Path) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise ConfigError(f"contract {path}: {' '.join(str(error).split())}") from None


@cache
def stream_contracts() -> dict[str, StreamContract]:
    """Every streamed table by name: core first, each layer in the order of names.

    Raises:
        ConfigError: when a file is wrong or lies in a folder of another name.
    """
    paths = [path for layer in _LAYERS for path in sorted((ROOT / "warehouse" / layer).glob("*/contract.yml"))]
    found = {path.parent.name: read(path) for path in paths if is_streamed(path)}
    for folder, contract in found.items():
        if contract.table != folder:
            raise ConfigError(f"contract {contract.folder}: table is {contract.table}, its folder {folder}")
    refuse_one_topic(found.values())
    return found


def refuse_one_topic(contracts: Iterable[StreamContract]) -> None:
    """See that every table has a topic of its own.

    Raises:
        ConfigError: naming tables whose relations have one name among topics, where signs are written ``_``.
    """
    tables: dict[str, list[str]] = {}
    for contract in contracts:
        tables.setdefault(contract.topic, []).append(contract.table)
    for topic, names in tables.items():
        if len(names) > 1:
            raise ConfigError(f"contracts {' and '.join(names)} have one topic, {topic}: keep one of them")


def contracts_of(connector: Connector) -> list[StreamContract]:
    """What one connector reads."""
    return [contract for contract in stream_contracts().values() if contract.source.system == connector]

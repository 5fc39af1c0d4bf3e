"""Read the contracts of the streamed tables: a source table, its topic, and its table in the warehouse.

They are the files ``warehouse/{core,realtime}/<table>/contract.yml`` with ``path: stream``. The publication, grants,
decoder, UPSERT and comments are derived from them.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from promptsales.documents import Document, read_yaml
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
from promptsales.specs.column import REDACTED, Column, PiiClass, refuse_redacted_key
from promptsales.specs.feed import Touched, is_streamed, references

Connector = Literal["promptads", "promptcrm"]
Layer = Literal["core", "realtime"]

# the order within a transaction: tables before those that refer to them
_LAYERS: tuple[Layer, ...] = ("core", "realtime")
# the classes that may come in clear text, because Debezium does not hash
_ALLOWED: frozenset[PiiClass] = frozenset({"none", "quasi", "pseudonymous", "free_text"})


class StreamSource(Document):
    """The connector that reads a table, and the relation."""

    system: Connector
    relation: Relation


class StreamColumn(Column):
    """A column of a streamed table; only the listed keys of a JSON object are kept."""

    transform: Literal["as_is", "redacted"] = "as_is"
    keys: tuple[str, ...] = ()

    @property
    def has_text(self) -> bool:
        """Whether the column holds text, also in a JSON object."""
        return bool(self.keys) or super().has_text


class StreamContract(Document):
    """A source table and the warehouse table that follows its change events."""

    table: TableName
    layer: Layer
    description: str
    source: StreamSource
    path: Literal["stream"]
    key: Name
    columns: tuple[StreamColumn, ...]
    history: tuple[Name, ...] = ()
    touched: Touched | None = Field(default=None, description="the days that the marts rebuild after a change")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = self.column_names
        used = {self.key, *self.history, *(self.touched.columns if self.touched else ())}
        if missing := used - set(names):
            raise ValueError(f"{', '.join(sorted(missing))} is used but not a column; columns are {', '.join(names)}")
        if len(set(names)) != len(names):
            raise ValueError("a column is named twice")
        refuse_own(names, OWN_OF_STREAM)
        refuse_own((self.key, *self.history) if self.history else (), OWN_OF_HISTORY)
        for column in self.columns:
            refuse_origin(column.name, column.origin, is_field=False)
        if self.touched and not self.touched.entity:
            raise ValueError("touched names no entity: for a streamed table name the column of the entity")
        return self

    @model_validator(mode="after")
    def _nothing_personal(self) -> Self:
        refuse_redacted_key(self.columns, self.key)
        for column in self.columns:
            if column.pii not in _ALLOWED:
                raise ValueError(
                    f"{column.name} is {column.pii}: change events are not hashed, so it must not be read; remove it"
                )
            if column.pii == "free_text" and column.transform == "as_is":
                raise ValueError(f"{column.name} is free_text, so transform as_is is not allowed; use redacted")
            if column.transform in REDACTED and self.source.system == "promptcrm":
                raise ValueError(
                    f"{column.name} is text that people type into the CRM, and Kafka would hold it before it is "
                    "redacted; remove it"
                )
            if bool(column.keys) is not (column.type == "jsonb"):
                raise ValueError(f"{column.name}: a jsonb column must list the keys to keep, other columns must not")
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
        """Name of the topic of its change events."""
        return f"{self.source.system}.{topic_part(self.source.relation)}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns in the warehouse."""
        return tuple(column.name for column in self.columns)

    @property
    def origins(self) -> tuple[str, ...]:
        """The names of the columns at the source, which are all that the publication contains."""
        return tuple(column.origin for column in self.columns)

    @property
    def references(self) -> tuple[str, ...]:
        """The columns that refer to other rows."""
        return references(self.column_names, self.key)

    @property
    def key_origin(self) -> str:
        """Name of the key at the source."""
        return self._key_column.origin

    @property
    def key_type(self) -> str:
        """The type of the key."""
        return self._key_column.type

    @property
    def _key_column(self) -> StreamColumn:
        return next(column for column in self.columns if column.name == self.key)

    @property
    def folder(self) -> Path:
        """The folder of ``contract.yml``, ``table.sql`` and ``expectations.yml``."""
        return ROOT / "warehouse" / self.layer / self.table


def read(path: Path) -> StreamContract:
    """Read a contract; the layer is the folder above the table's folder.

    Raises:
        ConfigError: with the file, the key in it and what is wrong.
    """
    try:
        return StreamContract.model_validate({**_document(path), "layer": path.parent.parent.name})
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        reasons = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'contract'}: {item['msg'].removeprefix('Value error, ')}"
            for item in faults
        )
        keys = ", ".join(name for name in StreamContract.model_fields if name != "layer")
        raise ConfigError(f"contract {path}: {reasons}; keys are {keys}") from None


def _document(path: Path) -> dict[str, Any]:
    try:
        return dict(read_yaml(path, "contract"))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"contract {path}: {' '.join(str(error).split())}") from None


@cache
def stream_contracts() -> dict[str, StreamContract]:
    """Return the contracts of all streamed tables by name: core first, each layer in the order of names.

    Raises:
        ConfigError: when a contract is invalid, its folder has another name, or two tables share a topic.
    """
    paths = [path for layer in _LAYERS for path in sorted((ROOT / "warehouse" / layer).glob("*/contract.yml"))]
    tables = {path.parent.name: read(path) for path in paths if is_streamed(path)}
    for folder, contract in tables.items():
        if contract.table != folder:
            raise ConfigError(
                f"contract {contract.folder}: table is {contract.table}, its folder {folder}; rename one of them"
            )
    refuse_shared_topics(tables.values())
    return tables


def refuse_shared_topics(contracts: Iterable[StreamContract]) -> None:
    """Check that no two tables have the same topic.

    Raises:
        ConfigError: with the tables whose relations have one topic, because topic names replace most signs with ``_``.
    """
    tables: dict[str, list[str]] = {}
    for contract in contracts:
        tables.setdefault(contract.topic, []).append(contract.table)
    for topic, names in tables.items():
        if len(names) > 1:
            raise ConfigError(f"contracts {' and '.join(names)} have one topic, {topic}: keep one of them")


def contracts_of(connector: Connector) -> list[StreamContract]:
    """Return the contracts of the tables that a connector reads."""
    return [contract for contract in stream_contracts().values() if contract.source.system == connector]

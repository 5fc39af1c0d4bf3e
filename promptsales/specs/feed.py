"""The feed contract: one YAML file per table says everything about its way in; nothing is said twice.

``warehouse/core/<table>/contract.yml`` is read into frozen models that reject unknown keys and name the legal ones.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from promptsales.errors import ConfigError
from promptsales.names import OWN, OWN_OF_HISTORY, Name, Relation, TableName, refuse_origin, refuse_own
from promptsales.settings import ROOT, InternalName

CORE = ROOT / "warehouse" / "core"

# as PostgreSQL's format_type() writes it
Type = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9 ]*(\([0-9]+(,[0-9]+)?\))?( with time zone)?(\[\])?$")]
Transform = Literal[
    "as_is",
    "email_hmac",
    "email_domain_hmac",
    "phone_hmac",
    "click_id_hmac",
    "text_hmac",
    "text_length",
    "is_email_valid",
    "pii_kid",
    "deleted_at",
]
# of these a source has no column: they come from the key, or from the change stream
MADE_HERE: frozenset[Transform] = frozenset({"pii_kid", "deleted_at"})
PiiClass = Literal["direct", "quasi", "free_text", "pseudonymous", "none"]

# what may leave a source of each class (domain.md section 1)
_ALLOWED: dict[PiiClass, frozenset[Transform]] = {
    "direct": frozenset({"email_hmac", "email_domain_hmac", "phone_hmac", "is_email_valid"}),
    "quasi": frozenset({"as_is"}),
    "free_text": frozenset({"text_hmac", "text_length"}),
    "pseudonymous": frozenset({"as_is", "click_id_hmac"}),
    "none": frozenset({"as_is", *MADE_HERE}),
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Model):
    """Where a feed reads: a system of design.md and a relation in it, or a collection of a document database."""

    system: Literal["promptsales", "promptcrm", "promptcontent"]
    relation: Relation

    @property
    def etl_connection(self) -> InternalName:
        """Name of the connection that reads it."""
        names: dict[str, InternalName] = {
            "promptsales": "promptsales_etl",
            "promptcrm": "promptcrm_etl",
            "promptcontent": "promptcontent_etl",
        }
        return names[self.system]


class Column(_Model):
    """One column of the target and what it is made of."""

    name: Name
    source: str | None = Field(default=None, description="column or field at the source, when it is called otherwise")
    type: Type
    transform: Transform = "as_is"
    required: bool = False
    pii: PiiClass
    description: str

    @property
    def origin(self) -> str:
        """The column at the source."""
        return self.source or self.name


# stands in ops.touched where only the day counts
ANY_ENTITY = "*"
# stands there as the entity of a mart's own days that the mart must build again
REBUILD = "rebuild"


_Names = Annotated[tuple[Name, ...], BeforeValidator(lambda names: (names,) if isinstance(names, str) else names)]


class Touched(_Model):
    """What a changed row makes the marts rebuild: days, by one column or several, of entities if they ask for any.

    Both are noted as they were and as they are: a row that moves touches the place it leaves as well.
    """

    entity: _Names = ()
    day: _Names

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is told by."""
        return (*self.entity, *self.day)


def references(names: Iterable[str], key: str) -> tuple[str, ...]:
    """Return the columns that name other rows, by the naming law."""
    return tuple(name for name in names if name.endswith("_id") and name != key)


class Contract(_Model):
    """One feed: a source table and its core table."""

    table: TableName
    description: str
    source: Source
    path: Literal["poll", "change_stream"] = Field(description="change_stream: MongoDB, through Kafka")
    cursor: Name
    look_back_seconds: int = Field(
        ge=1, description="how far a standby, or a change stream that lost its token, is read again"
    )
    key: Name
    hash_at: Literal["source", "extract"]
    columns: tuple[Column, ...]
    unread: tuple[str, ...] = Field(default=(), description="columns of the source that are left there on purpose")
    history: tuple[Name, ...] = ()
    touched: Touched | None = None
    after: tuple[TableName, ...] = Field(default=(), description="feeds of its DAG whose rows its checks look up")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = self.column_names
        if len(set(names)) != len(names):
            raise ValueError("a column is named twice")
        refuse_own(names, OWN)
        refuse_own((self.key, *self.history) if self.history else (), OWN_OF_HISTORY)
        used = {
            self.key,
            self.cursor,
            *self.history,
            *(self.touched.columns if self.touched else ()),
        }
        if missing := used - set(names):
            raise ValueError(f"{', '.join(sorted(missing))} is used but is no column; columns are {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _unread_is_not_read(self) -> Self:
        if both := {column.origin for column in self.columns if column.transform not in MADE_HERE} & set(self.unread):
            raise ValueError(
                f"{', '.join(sorted(both))} is listed as unread and read by a column; take one of them out"
            )
        return self

    @model_validator(mode="after")
    def _personal_data_is_hashed(self) -> Self:
        for column in self.columns:
            if column.transform not in _ALLOWED[column.pii]:
                allowed = ", ".join(sorted(_ALLOWED[column.pii]))
                raise ValueError(f"{column.name} is {column.pii}, so {column.transform} is not allowed but {allowed}")
        return self

    @model_validator(mode="after")
    def _path_fits(self) -> Self:
        is_document = self.path == "change_stream"
        if is_document != (self.source.system == "promptcontent"):
            raise ValueError(f"path {self.path} does not lead to {self.source.system}")
        if is_document and self.hash_at == "source":
            raise ValueError("a document database cannot hash: hash_at must be extract")
        if is_document and not any(column.name == column.transform == "deleted_at" for column in self.columns):
            raise ValueError("a change stream tells of deletes: a column deleted_at with that transform must take them")
        for column in self.columns:
            refuse_origin(column.name, column.origin, is_document)
            if not is_document and column.transform == "deleted_at":
                raise ValueError(f"{column.name}: {column.origin} ({column.transform}) is for path change_stream only")
        return self

    @property
    def column_names(self) -> tuple[str, ...]:
        """The target's own columns, in order, without the pipeline's."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def key_type(self) -> str:
        """The key's type."""
        return self.column(self.key).type

    @property
    def origins(self) -> tuple[str, ...]:
        """What is read of the source: no column or field but these leaves it."""
        return tuple(dict.fromkeys(column.origin for column in self.columns if column.transform not in MADE_HERE))

    @property
    def is_hashed(self) -> bool:
        """Whether any column needs the key."""
        return any(column.transform.endswith("_hmac") for column in self.columns)

    @property
    def hashed_columns(self) -> tuple[str, ...]:
        """The columns that hold keyed hashes."""
        return tuple(column.name for column in self.columns if column.transform.endswith("_hmac"))

    @property
    def email_hmac(self) -> str | None:
        """The column that says whose row it is, where there is one."""
        return next((column.name for column in self.columns if column.transform == "email_hmac"), None)

    @property
    def money(self) -> tuple[str, ...]:
        """The columns that hold money, by the naming law."""
        return tuple(column.name for column in self.columns if column.name.endswith("amount"))

    @property
    def references(self) -> tuple[str, ...]:
        """The columns that name other rows, by the naming law."""
        return references(self.column_names, self.key)

    @property
    def staging(self) -> str:
        """Name of the staging table: ``<source>__<table>``."""
        return f"{self.source.system}__{self.table}"

    @property
    def folder(self) -> Path:
        """Where the contract, ``table.sql`` and ``expectations.yml`` lie."""
        return CORE / self.table


def read(path: Path) -> Contract:
    """Read one contract.

    Raises:
        ConfigError: naming the file, the place in it, what is wrong and what is allowed.
    """
    try:
        return Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ConfigError(f"contract {path}: {_reasons(error)}") from None


def _reasons(error: ValidationError | yaml.YAMLError) -> str:
    if isinstance(error, yaml.YAMLError):
        return " ".join(str(error).split())
    return "; ".join(_reason(item) for item in error.errors(include_input=False, include_url=False))


def _reason(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"]) or "contract"
    if item["type"] != "extra_forbidden":
        return f"{where}: {item['msg'].removeprefix('Value error, ')}"
    models: dict[str, type[_Model]] = {"columns": Column, "source": Source, "touched": Touched}
    known = models.get(str(item["loc"][0]), Contract).model_fields
    return f"{where}: unknown key; keys are {', '.join(known)}"


@cache
def contracts() -> dict[str, Contract]:
    """Every feed by name, in the order of names.

    Raises:
        ConfigError: when a file is wrong, lies in a folder of another name, or waits for a feed that is not there.
    """
    paths = [path for path in sorted(CORE.glob("*/contract.yml")) if not is_streamed(path)]
    found = {path.parent.name: read(path) for path in paths}
    for folder, contract in found.items():
        file = CORE / folder / "contract.yml"
        if contract.table != folder:
            raise ConfigError(f"contract {file}: table is {contract.table}, its folder {folder}")
        if find_unexpected_keys := {name for name in contract.after if name not in found}:
            raise ConfigError(f"contract {file}: after names no feed: {', '.join(sorted(find_unexpected_keys))}")
    return found


def is_streamed(path: Path) -> bool:
    """Whether a table has its rows from the stream: promptsales.specs.stream reads such a contract."""
    return re.search(r"^path: stream$", path.read_text(encoding="utf-8"), re.M) is not None


def contract(name: str) -> Contract:
    """The contract of one feed.

    Raises:
        ConfigError: for a feed nobody knows; names the known ones.
    """
    known = contracts()
    if name not in known:
        raise ConfigError(f"no feed is called {name!r}; feeds are {', '.join(known)}")
    return known[name]

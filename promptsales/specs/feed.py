"""Read the contracts of the feeds: one YAML file for each table says how it is read, hashed and stored.

``warehouse/core/<table>/contract.yml`` is read into frozen models that reject unknown keys and list the legal ones.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from promptsales.documents import Document, read_yaml
from promptsales.errors import ConfigError
from promptsales.names import OWN, OWN_OF_HISTORY, Name, Relation, TableName, refuse_origin, refuse_own
from promptsales.settings import ROOT
from promptsales.specs.column import ALLOWED_TRANSFORMS, MADE_HERE, Column, refuse_redacted_key
from promptsales.targets import InternalName

CORE = ROOT / "warehouse" / "core"


class FeedSource(Document):
    """What a feed reads: a source system (domain.md section 1), and a relation or a collection in it."""

    system: Literal["promptsales", "promptcrm", "promptcontent"]
    relation: Relation

    @property
    def etl_connection(self) -> InternalName:
        """Name of the connection that reads the system."""
        names: dict[str, InternalName] = {
            "promptsales": "promptsales_etl",
            "promptcrm": "promptcrm_etl",
            "promptcontent": "promptcontent_etl",
        }
        return names[self.system]


HOURLY = timedelta(hours=1)
# a table is late, and stale, when it has missed so many of its runs
LATE_RUNS, STALE_RUNS = 2, 4

# the entity in ops.touched of a table whose contract names days only
ANY_ENTITY = "*"
# the entity in ops.touched of days that a mart must rebuild
REBUILD = "rebuild"


_Names = Annotated[tuple[Name, ...], BeforeValidator(lambda names: (names,) if isinstance(names, str) else names)]


class Touched(Document):
    """The columns whose values tell which days, and days of which entities, the marts rebuild after a change.

    Old and new values are noted, because a row that moves to another day also changes the day it leaves.
    """

    entity: _Names = ()
    day: _Names

    @property
    def columns(self) -> tuple[str, ...]:
        """The entity columns, then the day columns."""
        return (*self.entity, *self.day)


def references(names: Iterable[str], key: str) -> tuple[str, ...]:
    """Return the columns that refer to other rows: those that end in ``_id``, except the key."""
    return tuple(name for name in names if name.endswith("_id") and name != key)


KeyFile = Literal["pii_key", "pii_content_key"]


class Contract(Document):
    """A feed: a source table or collection, and its core table."""

    table: TableName
    description: str
    source: FeedSource
    path: Literal["poll", "change_stream"] = Field(description="change_stream: MongoDB, through Kafka")
    cursor: Name
    look_back_seconds: int = Field(
        ge=1, description="the interval read again on a standby, and after a change stream lost its token"
    )
    key: Name
    hash_at: Literal["source", "extract"]
    columns: tuple[Column, ...]
    unread: tuple[str, ...] = Field(default=(), description="columns of the source that are not read on purpose")
    history: tuple[Name, ...] = ()
    touched: Touched | None = None
    after: tuple[TableName, ...] = Field(default=(), description="feeds of the same DAG whose rows its checks look up")
    expected_every: timedelta = Field(default=HOURLY, gt=timedelta(0), description="how often it is loaded")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = self.column_names
        if len(set(names)) != len(names):
            raise ValueError("a column is named twice")
        refuse_own(names, OWN)
        refuse_own((self.key, *self.history) if self.history else (), OWN_OF_HISTORY)
        used = {self.key, self.cursor, *self.history, *(self.touched.columns if self.touched else ())}
        if missing := used - set(names):
            raise ValueError(f"{', '.join(sorted(missing))} is used but not a column; columns are {', '.join(names)}")
        refuse_redacted_key(self.columns, self.key)
        return self

    @model_validator(mode="after")
    def _unread_is_not_read(self) -> Self:
        if both := {column.origin for column in self.columns if column.transform not in MADE_HERE} & set(self.unread):
            raise ValueError(
                f"{', '.join(sorted(both))} is listed as unread and read by a column; remove it from unread or columns"
            )
        return self

    @model_validator(mode="after")
    def _personal_data_is_hashed(self) -> Self:
        for column in self.columns:
            if column.transform not in ALLOWED_TRANSFORMS[column.pii]:
                allowed = ", ".join(sorted(ALLOWED_TRANSFORMS[column.pii]))
                raise ValueError(
                    f"{column.name} is {column.pii}, so transform {column.transform} is not allowed; use {allowed}"
                )
        return self

    @model_validator(mode="after")
    def _path_fits(self) -> Self:
        is_document = self.path == "change_stream"
        if is_document != (self.source.system == "promptcontent"):
            raise ValueError(f"path {self.path} does not fit system {self.source.system}")
        if is_document and self.hash_at == "source":
            raise ValueError("a document database cannot hash: hash_at must be extract")
        if is_document and not any(column.name == column.transform == "deleted_at" for column in self.columns):
            raise ValueError("a change stream has deletes: add a column deleted_at with transform deleted_at")
        for column in self.columns:
            refuse_origin(column.name, column.origin, is_document)
            if not is_document and column.transform == "deleted_at":
                raise ValueError(f"{column.name}: {column.origin} ({column.transform}) is for path change_stream only")
        return self

    @property
    def late_after(self) -> timedelta:
        """How long ago it may be complete before it is late."""
        return LATE_RUNS * self.expected_every

    @property
    def stale_after(self) -> timedelta:
        """How long ago it may be complete before it is stale."""
        return STALE_RUNS * self.expected_every

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the contract, in order, without the columns the pipeline adds."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return the column of a name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def key_type(self) -> str:
        """The type of the key."""
        return self.column(self.key).type

    @property
    def origins(self) -> tuple[str, ...]:
        """The columns or fields that are read from the source; no others leave it."""
        return tuple(dict.fromkeys(column.origin for column in self.columns if column.transform not in MADE_HERE))

    @property
    def is_hashed(self) -> bool:
        """Whether any column is hashed."""
        return any(column.transform.endswith("_hmac") for column in self.columns)

    @property
    def key_file(self) -> KeyFile:
        """The file, without its number, of the key that the pipeline hashes this feed with (``hash_at: extract``).

        Texts of content have a key of their own, because their hashes join with each other only; the hash of an
        address or phone number must equal that of the CRM.
        """
        hashes = {column.transform for column in self.columns if column.transform.endswith("_hmac")}
        return "pii_content_key" if self.hash_at == "extract" and hashes <= {"text_hmac"} else "pii_key"

    @property
    def hashed_columns(self) -> tuple[str, ...]:
        """The columns that hold keyed hashes."""
        return tuple(column.name for column in self.columns if column.transform.endswith("_hmac"))

    @property
    def email_hmac(self) -> str | None:
        """The column that holds the hash of the person's e-mail address, if there is one."""
        return next((column.name for column in self.columns if column.transform == "email_hmac"), None)

    @property
    def money(self) -> tuple[str, ...]:
        """The columns that hold money: those whose names end in ``amount``."""
        return tuple(column.name for column in self.columns if column.name.endswith("amount"))

    @property
    def references(self) -> tuple[str, ...]:
        """The columns that refer to other rows."""
        return references(self.column_names, self.key)

    @property
    def staging(self) -> str:
        """Name of the staging table: ``<source>__<table>``."""
        return f"{self.source.system}__{self.table}"

    @property
    def folder(self) -> Path:
        """The folder of ``contract.yml``, ``table.sql`` and ``expectations.yml``."""
        return CORE / self.table


def read(path: Path) -> Contract:
    """Read a contract.

    Raises:
        ConfigError: with the file, the key in it, what is wrong and what is allowed.
    """
    try:
        return Contract.model_validate(read_yaml(path, "contract"))
    except ValidationError as error:
        reasons = "; ".join(_reason(item) for item in error.errors(include_input=False, include_url=False))
        raise ConfigError(f"contract {path}: {reasons}") from None


def _reason(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"]) or "contract"
    if item["type"] != "extra_forbidden":
        return f"{where}: {item['msg'].removeprefix('Value error, ')}"
    models: dict[str, type[Document]] = {"columns": Column, "source": FeedSource, "touched": Touched}
    known = models.get(str(item["loc"][0]), Contract).model_fields
    return f"{where}: unknown key; keys are {', '.join(known)}"


@cache
def contracts() -> dict[str, Contract]:
    """Return the contracts of all feeds by name, in the order of names.

    Raises:
        ConfigError: when a contract is invalid, its folder has another name, or ``after`` names an unknown feed.
    """
    paths = [path for path in sorted(CORE.glob("*/contract.yml")) if not is_streamed(path)]
    feeds = {path.parent.name: read(path) for path in paths}
    for folder, contract in feeds.items():
        file = CORE / folder / "contract.yml"
        if contract.table != folder:
            raise ConfigError(f"contract {file}: table is {contract.table}, its folder {folder}; rename one of them")
        if unknown := set(contract.after) - feeds.keys():
            raise ConfigError(
                f"contract {file}: after names {', '.join(sorted(unknown))}, which is not a feed; remove it"
            )
    return feeds


def is_streamed(path: Path) -> bool:
    """Return whether a contract is of a streamed table, which `promptsales.specs.stream` reads."""
    return re.search(r"^path: stream$", path.read_text(encoding="utf-8"), re.M) is not None


def contract(name: str) -> Contract:
    """Return the contract of a feed.

    Raises:
        ConfigError: when there is no such feed; lists the feeds.
    """
    feeds = contracts()
    if name not in feeds:
        raise ConfigError(f"no feed is called {name!r}; feeds are {', '.join(feeds)}")
    return feeds[name]

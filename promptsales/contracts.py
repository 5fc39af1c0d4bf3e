"""The feed contract: one YAML file per table says everything about its way in; nothing is said twice.

``warehouse/core/<table>/contract.yml`` is read into frozen models that reject unknown keys and name the legal ones.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from promptsales.errors import ConfigError
from promptsales.settings import ROOT, InternalName

CORE = ROOT / "warehouse" / "core"

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
# as PostgreSQL's format_type() writes it
Type = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9 ]*(\([0-9]+(,[0-9]+)?\))?( with time zone)?(\[\])?$")]
Relation = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")]
Transform = Literal[
    "as_is", "email_hmac", "email_domain_hmac", "phone_hmac", "click_id_hmac", "is_email_valid", "pii_kid"
]
PiiClass = Literal["direct", "quasi", "free_text", "pseudonymous", "none"]

# what may leave a source of each class (domain.md section 1)
_ALLOWED: dict[PiiClass, frozenset[Transform]] = {
    "direct": frozenset({"email_hmac", "email_domain_hmac", "phone_hmac", "is_email_valid"}),
    "quasi": frozenset({"as_is"}),
    "free_text": frozenset(),
    "pseudonymous": frozenset({"as_is", "click_id_hmac"}),
    "none": frozenset({"as_is", "pii_kid"}),
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Model):
    """Where a feed reads: a system of design.md and a relation in it."""

    system: Literal["promptsales", "promptcrm"]
    relation: Relation

    @property
    def etl_connection(self) -> InternalName:
        """Name of the connection that reads it."""
        return "promptcrm_etl" if self.system == "promptcrm" else "promptsales_etl"


class Column(_Model):
    """One column of the target and what it is made of."""

    name: Identifier
    source: Identifier | None = Field(default=None, description="column at the source, when it is called otherwise")
    type: Type
    transform: Transform = "as_is"
    required: bool = False
    pii: PiiClass
    description: str

    @property
    def origin(self) -> str:
        """The column at the source."""
        return self.source or self.name


class Touched(_Model):
    """What a changed row makes the marts rebuild: the days of an entity."""

    entity: Identifier
    day: Identifier


class Contract(_Model):
    """One feed: a source table and its core table."""

    table: Identifier
    description: str
    source: Source
    path: Literal["poll"]
    cursor: Identifier
    look_back_seconds: int = Field(ge=1, description="how far a standby is read again; a primary needs none")
    key: Identifier
    hash_at: Literal["source"]
    columns: tuple[Column, ...]
    history: tuple[Identifier, ...] = ()
    touched: Touched | None = None

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = self.column_names
        if len(set(names)) != len(names):
            raise ValueError("a column is named twice")
        used = {
            self.key,
            self.cursor,
            *self.history,
            *((self.touched.entity, self.touched.day) if self.touched else ()),
        }
        if missing := used - set(names):
            raise ValueError(f"{', '.join(sorted(missing))} is used but is no column; columns are {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _personal_data_is_hashed(self) -> Self:
        for column in self.columns:
            if column.transform not in _ALLOWED[column.pii]:
                allowed = ", ".join(sorted(_ALLOWED[column.pii])) or "nothing: it is not read at all"
                raise ValueError(f"{column.name} is {column.pii}, so {column.transform} is not allowed but {allowed}")
        return self

    @property
    def column_names(self) -> tuple[str, ...]:
        """The target's own columns, in order, without the pipeline's."""
        return tuple(column.name for column in self.columns)

    @property
    def key_type(self) -> str:
        """The key's type."""
        return next(column.type for column in self.columns if column.name == self.key)

    @property
    def is_hashed(self) -> bool:
        """Whether any column needs the key."""
        return any(column.transform.endswith("_hmac") for column in self.columns)

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
        ConfigError: when a file is wrong or lies in a folder of another name.
    """
    paths = [path for path in sorted(CORE.glob("*/contract.yml")) if not _is_streamed(path)]
    found = {path.parent.name: read(path) for path in paths}
    for folder, contract in found.items():
        if contract.table != folder:
            raise ConfigError(
                f"contract {CORE / folder / 'contract.yml'}: table is {contract.table}, its folder {folder}"
            )
    return found


def _is_streamed(path: Path) -> bool:
    """Whether a table has its rows from the stream: promptsales.stream_contracts reads such a contract."""
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

"""``mart.yml``: what a mart is, what it is made of, what its columns mean; comments and docs come from it."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from promptsales.documents import Document, read_document
from promptsales.errors import ConfigError
from promptsales.names import Name, Relation, TableName
from promptsales.settings import ROOT
from promptsales.specs.feed import HOURLY, STALE_RUNS, Type

FOLDER = ROOT / "warehouse" / "marts"

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Column(Document):
    """One column: its comment says meaning, unit, zone and formula, and whether it may be added up."""

    name: Name
    type: Type
    required: bool = Field(default=False, description="never null: a rule of the mart's suite; the grain never is")
    description: Text
    additive: bool | None = Field(default=None, description="may it be summed over rows; None where that has no sense")

    @property
    def comment(self) -> str:
        """The column's comment in the warehouse."""
        if self.additive is None:
            return self.description
        return f"{self.description} {'Additive.' if self.additive else 'Not additive: compute it from sums.'}"


class Mart(Document):
    """One mart: a table that Spark builds, or a view."""

    mart: TableName
    kind: Literal["table", "view"] = "table"
    description: Text
    inputs: tuple[Relation, ...]
    grain: tuple[Name, ...] = ()
    period: Name | None = Field(default=None, description="the date column by which it is rebuilt")
    unit: Literal["day", "month"] = Field(default="day", description="what one value of period stands for")
    is_restated: bool = Field(default=False, description="whether replaced values go to ops.restatement")
    columns: tuple[Column, ...]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = self.column_names
        if len(set(names)) != len(names):
            raise ValueError("a column is named twice")
        if missing := {*self.grain, *([self.period] if self.period else ())} - set(names):
            raise ValueError(f"{', '.join(sorted(missing))} is no column; columns are {', '.join(names)}")
        if self.kind == "table" and not (self.grain and self.period):
            raise ValueError("a table needs a grain and a period")
        if twice := [column.name for column in self.columns if column.required and column.name in self.grain]:
            raise ValueError(
                f"required: true on {', '.join(twice)} repeats the grain, which is never null; remove it there"
            )
        return self

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns that hold numbers to be read, summed or not."""
        return tuple(column.name for column in self.columns if column.additive is not None)

    @property
    def stale_after(self) -> timedelta:
        """How long ago it may be complete before it is stale; marts are built every hour."""
        return STALE_RUNS * HOURLY

    @property
    def upstream(self) -> tuple[str, ...]:
        """The marts among its inputs."""
        return tuple(name.removeprefix("marts.") for name in self.inputs if name.startswith("marts."))

    @property
    def folder(self) -> Path:
        """Where everything about it lies."""
        return FOLDER / self.mart

    @property
    def staging(self) -> str:
        """The staging table of what was built and not yet checked."""
        return f"marts__{self.mart}"


@cache
def catalogue() -> dict[str, Mart]:
    """Every mart and view by name.

    Raises:
        ConfigError: when a file is wrong, lies in a folder of another name, or names a mart that is not there.
    """
    found = {path.parent.name: read_document(path, Mart) for path in sorted(FOLDER.glob("*/mart.yml"))}
    for folder, mart in found.items():
        if mart.mart != folder:
            raise ConfigError(f"mart {mart.folder}: mart is {mart.mart}, its folder {folder}")
        if missing := set(mart.upstream) - found.keys():
            raise ConfigError(f"mart {folder}: there is no mart {', '.join(sorted(missing))}")
    return found


def tables() -> dict[str, Mart]:
    """The marts that are built, each after those it is made of.

    Raises:
        ConfigError: when marts are made of each other in a circle.
    """
    left = {name: mart for name, mart in catalogue().items() if mart.kind == "table"}
    ordered: dict[str, Mart] = {}
    while left:
        ready = [name for name, mart in left.items() if not set(mart.upstream) & left.keys()]
        if not ready:
            raise ConfigError(f"marts {', '.join(sorted(left))} are made of each other in a circle")
        for name in ready:
            ordered[name] = left.pop(name)
    return ordered


def mart(name: str) -> Mart:
    """The mart of that name, one that is built.

    Raises:
        ConfigError: when there is none; names those there are.
    """
    found = tables()
    if name not in found:
        raise ConfigError(f"there is no mart {name!r}; marts are {', '.join(found)}")
    return found[name]


def select(expression: str) -> list[str]:
    """The marts a selection names, in the order they are built.

    ``mart`` is one, ``+mart`` takes all it is made of with it, ``mart+`` all that is made of it; spaces part several.

    Raises:
        ConfigError: when it names no mart.
    """
    chosen: set[str] = set()
    for word in expression.split():
        name = mart(word.strip("+")).mart
        chosen.add(name)
        if word.startswith("+"):
            chosen |= _closure(name, {one: found.upstream for one, found in tables().items()})
        if word.endswith("+"):
            chosen |= _closure(name, {
                one: tuple(other for other, found in tables().items() if one in found.upstream) for one in tables()
            })  # fmt: skip
    return [name for name in tables() if name in chosen]


def _closure(name: str, edges: dict[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    queue = [name]
    while queue:
        for other in edges[queue.pop()]:
            if other not in found:
                found.add(other)
                queue.append(other)
    return found

"""Read ``mart.yml``, which describes a mart, its inputs and its columns; comments and docs are generated from it."""

import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from promptsales.documents import Document, read_document
from promptsales.errors import ConfigError
from promptsales.names import Name, Relation, TableName
from promptsales.settings import ROOT
from promptsales.specs.column import Type
from promptsales.specs.feed import HOURLY, STALE_RUNS, contracts

FOLDER = ROOT / "warehouse" / "marts"

_ABBREVIATIONS = {"ai", "cac", "cpa", "cpc", "cpl", "cpm", "crm", "ctr", "cvr", "id", "mad", "mrr", "roas", "utm"}
_LABELS = {
    "date_day": "Day",
    "month_start_date": "Month",
    "hour_at": "Hour",
    "currency_code": "Currency",
    "pacing_pct": "Pacing (100 = plan)",
}

# a factor or none, a column or a sum of columns, over a column or a sum of columns
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_TERM = rf"(?:{_NAME.pattern}|\({_NAME.pattern}(?: \+ {_NAME.pattern})+\))"
_RATIO = re.compile(rf"(?:\d+ \* )?{_TERM} / {_TERM}")
_WEIGHT = re.compile(rf"{_NAME.pattern}(?: \+ {_NAME.pattern})*")

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class MartColumn(Document):
    """A column; its comment states the meaning, unit, time zone and formula, and whether values may be summed."""

    name: Name
    type: Type
    required: bool = Field(default=False, description="never null: a rule of the mart's suite; the grain never is")
    description: Text
    additive: bool | None = Field(default=None, description="may values be summed over rows; None if not a measure")
    sums_within: Name | None = Field(
        default=None, description="values may be summed over rows that are equal in this column, and over no others"
    )
    ratio: Text | None = Field(default=None, description="a ratio of other columns, computed from their sums")
    weighted_by: Text | None = Field(
        default=None, description="a mean over this many things, in other columns; of several rows, the weighted mean"
    )
    one_row: bool = Field(
        default=False, description="a percentile, which no other rows give: shown of a single row of the grain only"
    )

    @model_validator(mode="after")
    def _is_no_sum(self) -> Self:
        formulas = [name for name in ("sums_within", "ratio", "weighted_by", "one_row") if getattr(self, name)]
        if self.additive is not False and formulas:
            raise ValueError(f"column {self.name} has {formulas[0]}, so it needs additive: false")
        if len(formulas) > 1:
            raise ValueError(f"column {self.name} has {' and '.join(formulas)}; keep the one that computes it")
        if self.ratio and not _RATIO.fullmatch(self.ratio):
            raise ValueError(
                f"column {self.name}: ratio {self.ratio!r} is no ratio of sums; expected is one such as "
                "1000 * spend / impressions or won / (won + lost)"
            )
        if self.weighted_by and not _WEIGHT.fullmatch(self.weighted_by):
            raise ValueError(
                f"column {self.name}: weighted_by {self.weighted_by!r} is no sum of columns; expected is one such as "
                "open_count or won + lost"
            )
        return self

    @property
    def label(self) -> str:
        """The column's name as people read it: ``spend_to_date`` is "Spend to date", ``ctr`` is "CTR"."""
        if self.name in _LABELS:
            return _LABELS[self.name]
        words = [word.upper() if word in _ABBREVIATIONS else word for word in self.name.split("_")]
        return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])

    @property
    def metric(self) -> str:
        """SQL that computes the column from many rows: a sum, a ratio of sums, a weighted mean; empty if none does."""
        if self.ratio:
            numerator, denominator = _NAME.sub(r"sum(\g<0>)", self.ratio).split(" / ")
            return f"{numerator} / nullif({denominator}, 0)"
        if self.weighted_by:
            weight = f"({self.weighted_by})"
            return f"sum({self.name} * {weight}) / nullif(sum({weight}) filter (where {self.name} is not null), 0)"
        if self.one_row:
            return f"case when count(*) = 1 then max({self.name}) end"
        return f"sum({self.name})" if self.additive or self.sums_within else ""

    @property
    def comment(self) -> str:
        """The column's comment in the warehouse."""
        if self.additive is None:
            return self.description
        return f"{self.description} {'Additive.' if self.additive else 'Not additive: compute it from sums.'}"


class MartMetric(Document):
    """A metric of dashboards that is no column: how many rows there are, or a share of them."""

    name: Name
    label: Text
    sql: Text
    description: Text
    format: Literal["count", "share", "money"] = "count"


class Mart(Document):
    """A mart: a table that Spark builds, or a view."""

    mart: TableName
    kind: Literal["table", "view"] = "table"
    description: Text
    inputs: tuple[Relation, ...]
    grain: tuple[Name, ...] = ()
    period: Name | None = Field(default=None, description="the date column by which it is rebuilt")
    unit: Literal["day", "month"] = Field(default="day", description="the length of a period")
    is_restated: bool = Field(default=False, description="whether replaced values are kept in ops.restatement")
    columns: tuple[MartColumn, ...]
    metrics: tuple[MartMetric, ...] = Field(default=(), description="what dashboards show of many rows, beside columns")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = self.column_names
        called = [*names, *(metric.name for metric in self.metrics)]
        if len(set(called)) != len(called):
            raise ValueError("a column or metric is named twice")
        if missing := {*self.grain, *([self.period] if self.period else ())} - set(names):
            raise ValueError(f"{', '.join(sorted(missing))} is not a column; columns are {', '.join(names)}")
        if self.kind == "table" and not (self.grain and self.period):
            raise ValueError("a table needs a grain and a period")
        for column in self.columns:
            self._check_metric(column)
        if twice := [column.name for column in self.columns if column.required and column.name in self.grain]:
            raise ValueError(
                f"required: true on {', '.join(twice)} repeats the grain, which is never null; remove it there"
            )
        return self

    def _check_metric(self, column: MartColumn) -> None:
        if column.sums_within and column.sums_within not in self.column_names:
            raise ValueError(f"column {column.name}: sums_within {column.sums_within} is no column")
        summed = {other.name for other in self.columns if other.additive or other.sums_within}
        if wrong := set(_NAME.findall(column.ratio or column.weighted_by or "")) - summed:
            place = "ratio" if column.ratio else "weighted_by"
            raise ValueError(f"column {column.name}: {', '.join(sorted(wrong))} in its {place} is no column with a sum")

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns that hold measures, additive or not."""
        return tuple(column.name for column in self.columns if column.additive is not None)

    @property
    def stale_after(self) -> timedelta:
        """How long ago it may be complete before it is stale: it is built every hour, and as complete as its inputs."""
        feeds = contracts()
        inputs = [feeds[name] for relation in self.inputs if (name := relation.removeprefix("core.")) in feeds]
        limits = [feed.stale_after for feed in inputs] + [catalogue()[name].stale_after for name in self.upstream]
        return max([STALE_RUNS * HOURLY, *limits])

    @property
    def upstream(self) -> tuple[str, ...]:
        """The marts among its inputs."""
        return tuple(name.removeprefix("marts.") for name in self.inputs if name.startswith("marts."))

    @property
    def folder(self) -> Path:
        """The folder of all files of the mart."""
        return FOLDER / self.mart

    @property
    def staging(self) -> str:
        """Name of the staging table, which holds rows that are built and not yet checked."""
        return f"marts__{self.mart}"


@cache
def catalogue() -> dict[str, Mart]:
    """Return all marts and views by name.

    Raises:
        ConfigError: when a file is invalid, its folder has another name, or an input is not a known mart.
    """
    marts = {path.parent.name: read_document(path, Mart) for path in sorted(FOLDER.glob("*/mart.yml"))}
    for folder, mart in marts.items():
        if mart.mart != folder:
            raise ConfigError(f"mart {mart.folder}: mart is {mart.mart}, its folder {folder}; rename one of them")
        if missing := set(mart.upstream) - marts.keys():
            raise ConfigError(f"mart {folder}: there is no mart {', '.join(sorted(missing))}; correct its inputs")
    return marts


def tables() -> dict[str, Mart]:
    """Return the marts that Spark builds, each after the marts it reads from.

    Raises:
        ConfigError: when marts read from each other in a cycle.
    """
    pending = {name: mart for name, mart in catalogue().items() if mart.kind == "table"}
    ordered: dict[str, Mart] = {}
    while pending:
        ready = [name for name, mart in pending.items() if not set(mart.upstream) & pending.keys()]
        if not ready:
            raise ConfigError(f"marts {', '.join(sorted(pending))} read from each other in a cycle; remove an input")
        for name in ready:
            ordered[name] = pending.pop(name)
    return ordered


def mart(name: str) -> Mart:
    """Return a mart that Spark builds.

    Raises:
        ConfigError: when there is no such mart; lists the marts.
    """
    marts = tables()
    if name not in marts:
        raise ConfigError(f"there is no mart {name!r}; marts are {', '.join(marts)}")
    return marts[name]


def select(expression: str) -> list[str]:
    """Return the marts that an expression selects, in build order.

    ``mart`` selects a mart, ``+mart`` also those it is built from, ``mart+`` also those built from it; separate several
    by spaces.

    Raises:
        ConfigError: when a mart is unknown.
    """
    marts = tables()
    upstream = {name: mart.upstream for name, mart in marts.items()}
    downstream = {name: tuple(later for later in marts if name in upstream[later]) for name in marts}
    selected: set[str] = set()
    for word in expression.split():
        name = mart(word.strip("+")).mart
        selected.add(name)
        if word.startswith("+"):
            selected |= _closure(name, upstream)
        if word.endswith("+"):
            selected |= _closure(name, downstream)
    return [name for name in marts if name in selected]


def _closure(name: str, edges: dict[str, tuple[str, ...]]) -> set[str]:
    reached: set[str] = set()
    queue = [name]
    while queue:
        for neighbour in edges[queue.pop()]:
            if neighbour not in reached:
                reached.add(neighbour)
                queue.append(neighbour)
    return reached

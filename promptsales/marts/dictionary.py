"""Generate ``docs/reference/marts.md``, the data dictionary, from the files behind the warehouse's comments."""

from collections.abc import Iterator

from promptsales.marts.graph import PICTURE
from promptsales.settings import ROOT
from promptsales.specs.mart import Mart, catalogue

PAGE = ROOT / "docs" / "reference" / "marts.md"

_HEAD = """# Marts

For people who write dashboards and queries. This page describes every table and view of the schema `marts`: what one
row stands for, what each column means, and which columns you may sum. `promptsales dsn bi` prints the connection string
of a role that reads these tables and the views of `realtime`, and nothing else.
[Connect a BI tool](../how-to/connect-a-bi-tool.md) shows how to use it.

`promptsales docs` generates this page from the files `warehouse/marts/*/mart.yml`. The comments on the tables and
columns in the warehouse come from the same files.

- Days and months are those of the reporting zone: UTC, unless `PROMPTSALES_REPORTING_TIMEZONE` names another zone.
  Columns that end in `_at` are instants in UTC.
- Ratios are fractions. They are computed from sums, and are null where the denominator is 0.
- Sum a column only if it says "Additive".
- Never sum money of different currencies: group by `currency_code`.
"""


def page() -> str:
    """Return the text of the page."""
    return "\n".join([_HEAD, *_graph(), *(line for mart in catalogue().values() for line in _section(mart))])


def _graph() -> Iterator[str]:
    yield "## Lineage\n"
    yield f"![Sources, core tables and marts, each joined to the tables it is built from](../{PICTURE.name})\n"


def _section(mart: Mart) -> Iterator[str]:
    yield f"## marts.{mart.mart}\n"
    yield f"{mart.description}\n"
    if mart.grain:
        yield f"One row per {_names(mart.grain)}. Built from {_names(mart.inputs)}.\n"
    else:
        yield f"A view on {_names(mart.inputs)}.\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in mart.columns:
        yield f"| `{column.name}` | {column.type} | {column.comment} |"
    yield ""


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)

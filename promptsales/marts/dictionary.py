"""``docs/marts.md``: the data dictionary, made of the catalogue that the warehouse's comments are made of."""

from collections.abc import Iterator

from promptsales.marts.graph import PICTURE
from promptsales.settings import ROOT
from promptsales.specs.mart import Mart, catalogue

PAGE = ROOT / "docs" / "marts.md"

_HEAD = """# Marts

What dashboards and BI tools read: `promptsales dsn bi` prints the connection of a reader, who sees these tables and
the views of `realtime`, nothing else. Made of the files `warehouse/marts/*/mart.yml` by `promptsales docs`, as
the comments in the warehouse are.

Days and months are those of the reporting zone (UTC unless `PROMPTSALES_REPORTING_TIMEZONE` says otherwise); `_at` is
UTC. Ratios are fractions, formed from sums, and null where the denominator is 0. Never add up a column that is not
additive. Money of different currencies is never added: group by `currency_code`.
"""


def page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *_graph(), *(line for mart in catalogue().values() for line in _section(mart))])


def _graph() -> Iterator[str]:
    yield "## What is made of what\n"
    yield f"![Sources, core tables, marts, and which is made of which]({PICTURE.name})\n"


def _section(mart: Mart) -> Iterator[str]:
    yield f"## marts.{mart.mart}\n"
    yield f"{mart.description}\n"
    if mart.grain:
        yield f"One row per {_names(mart.grain)}. Made of {_names(mart.inputs)}.\n"
    else:
        yield f"A view of {_names(mart.inputs)}.\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in mart.columns:
        yield f"| `{column.name}` | {column.type} | {column.comment} |"
    yield ""


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)

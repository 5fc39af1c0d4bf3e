"""Generate ``docs/marts.md``, the data dictionary, from the files that the warehouse's comments are generated from."""

from collections.abc import Iterator

from promptsales.marts.graph import PICTURE
from promptsales.settings import ROOT
from promptsales.specs.mart import Mart, catalogue

PAGE = ROOT / "docs" / "marts.md"

_HEAD = """# Marts

The tables and views that dashboards and BI tools read. `promptsales dsn bi` prints the connection string of the reader
role, which sees these tables and the views of `realtime` and nothing else. `promptsales docs` generates this page from
the files `warehouse/marts/*/mart.yml`; `promptsales provision` writes the same texts as comments into the warehouse.

Days and months are those of the reporting zone (UTC unless `PROMPTSALES_REPORTING_TIMEZONE` is set); columns ending in
`_at` are UTC. Ratios are fractions, computed from sums, and null where the denominator is 0. Never sum a column that is
marked as not additive. Never sum amounts of different currencies: group by `currency_code`.
"""


def page() -> str:
    """Return the text of the page."""
    return "\n".join([_HEAD, *_graph(), *(line for mart in catalogue().values() for line in _section(mart))])


def _graph() -> Iterator[str]:
    yield "## Lineage\n"
    yield f"![Lineage of the sources, core tables and marts]({PICTURE.name})\n"


def _section(mart: Mart) -> Iterator[str]:
    yield f"## marts.{mart.mart}\n"
    yield f"{mart.description}\n"
    if mart.grain:
        yield f"One row per {_names(mart.grain)}. Built from {_names(mart.inputs)}.\n"
    else:
        yield f"A view of {_names(mart.inputs)}.\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in mart.columns:
        yield f"| `{column.name}` | {column.type} | {column.comment} |"
    yield ""


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)

"""``docs/marts.md``: the data dictionary, built from the catalogue that the comments in the warehouse come from."""

from collections.abc import Iterator

from promptsales.marts.graph import PICTURE
from promptsales.settings import ROOT
from promptsales.specs.mart import Mart, catalogue

PAGE = ROOT / "docs" / "marts.md"

_HEAD = """# Marts

Dashboards and BI tools read these tables and the views of `realtime`, nothing else. `promptsales dsn bi` prints the
connection of a reader. `promptsales docs` builds this page from `warehouse/marts/*/mart.yml`; the comments in the
warehouse come from the same files.

Days and months are those of the reporting zone (UTC unless `PROMPTSALES_REPORTING_TIMEZONE` is set); columns that end
in `_at` are in UTC. Ratios are fractions, computed from sums, and null if the denominator is 0. Do not sum a column
that is not additive. Do not sum money of different currencies: group by `currency_code`.
"""


def page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *_graph(), *(line for mart in catalogue().values() for line in _section(mart))])


def _graph() -> Iterator[str]:
    yield "## Lineage\n"
    yield f"![Sources, core tables and marts, with what each is built from]({PICTURE.name})\n"


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

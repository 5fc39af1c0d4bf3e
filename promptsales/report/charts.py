"""Charts as SVG, drawn by pygal; colours and fonts are the page's own, so that they follow light and dark."""

import sys
from collections.abc import Sequence
from typing import Any

import pygal

from promptsales.printable import printable
from promptsales.report.dashboards import Kind

# for its plugins pygal puts an importer of an old kind in everybody's way; Python warns of it at each import
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

_KINDS: dict[Kind, Any] = {
    "line": pygal.Line,
    "bar": pygal.HorizontalBar,
    "stacked": pygal.StackedBar,
    "pie": pygal.Pie,
}
_OPTIONS: dict[str, Any] = {
    "css": [],  # no rule of its own: those would name colours
    "js": [],  # nothing is loaded from anywhere
    "disable_xml_declaration": True,
    "show_dots": False,
    "print_values": False,
    "legend_at_bottom": True,
    "legend_at_bottom_columns": 4,
    "width": 720,
    "height": 360,
    "margin": 12,
    "margin_bottom": 30,
    "margin_left": 24,
    "truncate_label": 22,
    "truncate_legend": 22,
    "no_data_text": "no data yet",
}


def chart(kind: Kind, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """One chart as an ``svg`` element.

    Args:
        kind: how it is drawn.
        columns: the first names the rows, the others are series.
        rows: as the query gives them.
    """
    drawn = _KINDS[kind](**_OPTIONS, value_formatter=shown)
    drawn.add_xml_filter(_plain)
    if kind == "pie":
        for label, value in rows:
            drawn.add(printable(label), float(value))
    else:
        if kind == "bar":
            rows = list(reversed(rows))  # the first row on top
        else:
            drawn.x_labels_major_every = max(1, len(rows) // 6)
            drawn.show_minor_x_labels = False
        drawn.x_labels = [printable(row[0]) for row in rows]
        drawn.show_legend = len(columns) > 2
        for place, name in enumerate(columns[1:], start=1):
            drawn.add(name, [None if row[place] is None else float(row[place]) for row in rows])
    return str(drawn.render(is_unicode=True))


def _plain(root: Any) -> Any:
    """Without the script and the fonts that pygal puts in: the page has its own."""
    for defs in root.findall("defs"):
        for part in [part for part in defs if part.tag in ("style", "script")]:
            defs.remove(part)
    return root


def shown(value: Any) -> str:
    """A number for people: thousands apart, no more digits than it has."""
    return f"{value:,.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"

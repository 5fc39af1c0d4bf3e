"""Draw charts as SVG with pygal; the page sets colours and fonts, so that charts follow its light and dark mode."""

import sys
from collections.abc import Sequence
from typing import Any

import pygal

from promptsales.printable import printable
from promptsales.report.dashboards import Kind

# pygal registers a deprecated importer for its plugins, and Python warns about it at every later import
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

_KINDS: dict[Kind, Any] = {
    "line": pygal.Line,
    "bar": pygal.HorizontalBar,
    "stacked": pygal.StackedBar,
    "pie": pygal.Pie,
}
_OPTIONS: dict[str, Any] = {
    "css": [],  # pygal's rules would set colours
    "js": [],  # the page loads no external resources
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
    """Return a chart as an ``svg`` element.

    Args:
        kind: the type of chart.
        columns: the names of the result columns: the first labels the rows, each other one is a series.
        rows: the result rows.
    """
    figure = _KINDS[kind](**_OPTIONS, value_formatter=format_number)
    figure.add_xml_filter(_remove_styles)
    if kind == "pie":
        for label, value in rows:
            figure.add(printable(label), float(value))
    else:
        if kind == "bar":
            rows = list(reversed(rows))  # pygal draws the first row at the bottom
        else:
            figure.x_labels_major_every = max(1, len(rows) // 6)
            figure.show_minor_x_labels = False
        figure.x_labels = [printable(row[0]) for row in rows]
        figure.show_legend = len(columns) > 2
        for index, name in enumerate(columns[1:], start=1):
            figure.add(name, [None if row[index] is None else float(row[index]) for row in rows])
    return str(figure.render(is_unicode=True))


def _remove_styles(root: Any) -> Any:
    """Remove pygal's script and fonts from the figure."""
    for defs in root.findall("defs"):
        for part in [part for part in defs if part.tag in ("style", "script")]:
            defs.remove(part)
    return root


def format_number(value: Any) -> str:
    """Return a number with thousands separators and without trailing zeros."""
    return f"{value:,.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"

"""Draw charts as SVG with pygal; the page sets colours and fonts, so that charts follow its light and dark mode."""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import pygal

from promptsales.report.dashboards import Kind
from promptsales.report.labels import label

# pygal registers a deprecated importer for its plugins, and Python warns about it at every later import
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

_KINDS: dict[Kind, Any] = {
    "line": pygal.Line,
    "bar": pygal.HorizontalBar,
    "pacing": pygal.HorizontalBar,
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
    "margin": 12,
    "margin_bottom": 30,
    "margin_left": 32,
    "no_data_text": "no data yet",
}


class Canvas(NamedTuple):
    """The size of a chart in pixels of the page, how many labels fit on its axis, and how long they may be."""

    width: int
    height: int
    labels: int
    length: int
    columns: int


# a page shows the size that fits, so that a chart is never scaled to unreadable text
PHONE, HALF, WIDE = Canvas(326, 300, 3, 16, 2), Canvas(640, 340, 6, 22, 4), Canvas(1280, 340, 12, 40, 6)
_PLAN, _CUT = 100, 250
STATUSES = ("overspent", "over", "on_track", "under")


def draw(kind: Kind, columns: Sequence[str], rows: Sequence[Sequence[Any]], is_wide: bool) -> str:
    """Return a chart in the size for a screen and in that for a phone; the page shows one of them."""
    large, small = (chart(kind, columns, rows, size) for size in (WIDE if is_wide else HALF, PHONE))
    drawn = f'<div class="large">{large}</div><div class="small">{small}</div>{_status_legend(kind, rows)}'
    return f'<div class="chart {kind}">{drawn}</div>'


def chart(kind: Kind, columns: Sequence[str], rows: Sequence[Sequence[Any]], size: Canvas = HALF) -> str:
    """Return a chart as an ``svg`` element.

    Args:
        kind: the type of chart.
        columns: the names of the result columns: the first labels the rows, each other one is a series. A chart of
            pacing has one series, and the status of each row, which colours its bar.
        rows: the result rows.
        size: its size.
    """
    sized = {"width": size.width, "height": size.height, "legend_at_bottom_columns": size.columns}
    cut = {"truncate_label": size.length, "truncate_legend": size.length}
    figure = _KINDS[kind](**_OPTIONS, **sized, **cut, value_formatter=format_number)
    figure.add_xml_filter(_remove_styles)
    if kind == "pie":
        for name, value in rows:
            figure.add(label(columns[0], name), float(value))
        return str(figure.render(is_unicode=True))
    if kind in ("bar", "pacing"):
        rows = list(reversed(rows))  # pygal draws the first row at the bottom
    else:
        figure.x_labels_major_every = max(1, -(-len(rows) // size.labels))
        figure.show_minor_x_labels = False
    if kind == "pacing":
        _add_pacing(figure, columns, rows, size)
    else:
        figure.x_labels = [_shorten(label(columns[0], row[0]), size) for row in rows]
        figure.show_legend = len(columns) > 2
        for index, name in enumerate(columns[1:], start=1):
            figure.add(name, [None if row[index] is None else float(row[index]) for row in rows])
    return str(figure.render(is_unicode=True))


def _add_pacing(figure: Any, columns: Sequence[str], rows: Sequence[Sequence[Any]], size: Canvas) -> None:
    """Add bars that are coloured by status, and a marked line where a budget is on plan.

    A tiny budget may be spent a thousandfold: its bar is cut, and its label says the figure.
    """
    figure.x_labels = [_shorten(f"{value:,.0f}% {label(columns[0], name)}", size) for name, value, _ in rows]
    figure.y_labels = range(0, _CUT + 1, _PLAN // 2)
    figure.y_labels_major = [_PLAN]
    figure.show_legend = False
    bars = [
        {"value": min(float(value), _CUT), "style": f"fill: var(--{status}); stroke: var(--{status})"}
        for _, value, status in rows
    ]
    figure.add(columns[1], bars)


def _shorten(text: str, size: Canvas) -> str:
    """Return a label that leaves room for its bar: pygal cuts no labels of horizontal bars."""
    return text if len(text) <= size.length else f"{text[: size.length - 1]}\N{HORIZONTAL ELLIPSIS}"


def _status_legend(kind: Kind, rows: Sequence[Sequence[Any]]) -> str:
    if kind != "pacing":
        return ""
    known = [status for status in STATUSES if status in {row[2] for row in rows}]
    marks = "".join(f'<span class="mark {status}">{label("status", status)}</span>' for status in known)
    return f'<p class="marks">{marks}</p>'


def _remove_styles(root: Any) -> Any:
    """Remove pygal's script and fonts from the figure."""
    for defs in root.findall("defs"):
        for part in [part for part in defs if part.tag in ("style", "script")]:
            defs.remove(part)
    return root


def format_number(value: Any) -> str:
    """Return a number with thousands separators and without trailing zeros."""
    return f"{value:,.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"

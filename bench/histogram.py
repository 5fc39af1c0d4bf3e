"""Histograms of latencies: as text, and as a picture that is readable on light and on dark pages."""

from bisect import bisect_left
from collections.abc import Sequence

# upper ends of the classes, in milliseconds; the last class has none
EDGES = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
_BAR, _ROW = 40, 24
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" font-family="system-ui, sans-serif" \
font-size="13">
  <title>{title}</title>
  <style>text{{fill:#0f172a}}rect{{fill:#0369a1}}.late{{fill:#b91c1c}}
    @media (prefers-color-scheme:dark){{text{{fill:#e2e8f0}}rect{{fill:#38bdf8}}.late{{fill:#f87171}}}}</style>
  <text x="10" y="20" font-weight="600">{title}</text>
{rows}</svg>
"""
_BARS = """  <text x="110" y="{text}" text-anchor="end">{label}</text>\
<rect{late} x="120" y="{y}" width="{width:.1f}" height="16"/>\
<text x="{end:.1f}" y="{text}">{count:,}</text>
"""


def count(delays_ms: Sequence[float]) -> list[int]:
    """Return the number of delays in each class; one that equals an edge belongs below it."""
    counts = [0] * (len(EDGES) + 1)
    for delay in delays_ms:
        counts[bisect_left(EDGES, delay)] += 1
    return counts


def labels() -> list[str]:
    """Return the names of the classes."""
    return [*(f"to {_name(edge)}" for edge in EDGES), f"over {_name(EDGES[-1])}"]


def as_text(counts: Sequence[int]) -> str:
    """Return a line for each class: its name, its number and a bar."""
    most = max(*counts, 1)
    lines = [
        f"{label:>10} {number:>10,} {'#' * round(number / most * _BAR)}"
        for label, number in zip(labels(), counts, strict=True)
    ]
    return "\n".join(line.rstrip() for line in lines)


def as_svg(counts: Sequence[int], title: str, late_ms: float) -> str:
    """Return a picture; classes above ``late_ms`` have another color."""
    most, late = max(*counts, 1), bisect_left(EDGES, late_ms)
    rows = ""
    for place, (label, number) in enumerate(zip(labels(), counts, strict=True)):
        y, width = 34 + place * _ROW, max(number / most * 430, 1.0 if number else 0.0)
        rows += _BARS.format(
            label=label, count=number, y=y, text=y + 13, width=width, end=126 + width,
            late=' class="late"' if place > late else "",
        )  # fmt: skip
    return _SVG.format(height=44 + len(counts) * _ROW, title=title, rows=rows)


def _name(edge_ms: int) -> str:
    return f"{edge_ms} ms" if edge_ms < 1_000 else f"{edge_ms / 1000:g} s"

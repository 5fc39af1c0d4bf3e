"""Draw the seconds of each method as bars, on a scale of their own for each case."""

from collections.abc import Iterator
from html import escape

from bench.peers.figures import Runs, spread
from bench.peers.methods import METHODS

WIDTH, LABEL, ROW, HEAD, MARGIN = 760, 290, 22, 34, 16
BARS = WIDTH - LABEL - 2 * MARGIN - 150
STYLE = (
    "text{fill:#0f172a}.case{font-weight:600}.bar{fill:#94a3b8}.floor{fill:#cbd5e1}.ours{fill:#0369a1}"
    ".spread{stroke:#0f172a}.page{fill:#ffffff}"
    "@media (prefers-color-scheme:dark){text{fill:#e2e8f0}.bar{fill:#64748b}.floor{fill:#475569}.ours{fill:#38bdf8}"
    ".spread{stroke:#e2e8f0}.page{fill:#0f172a}}"
)


def draw(runs: Runs) -> str:
    """Return the picture as SVG; a line on a bar goes from the least to the most seconds."""
    lines, y = [], MARGIN
    for case, methods in runs.items():
        longest = max(spread(measured).most for measured in methods.values())
        lines.append(f'<text class="case" x="{MARGIN}" y="{y + 16}">{escape(case)}, seconds</text>')
        y += HEAD
        for name, measured in methods.items():
            lines += _bar(name, *spread(measured), BARS / longest, y)
            y += ROW
        y += MARGIN
    body = "\n  ".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="system-ui, sans-serif" '
        f'font-size="12">\n  <title>Seconds of each load, PromptSales beside other tools</title>\n'
        f'  <style>{STYLE}</style>\n  <rect class="page" width="{WIDTH}" height="{y}"/>\n  {body}\n</svg>\n'
    )


def _bar(name: str, median: float, least: float, most: float, scale: float, y: int) -> Iterator[str]:
    kind = {"floor": "floor", "promptsales": "ours"}.get(name, "bar")
    title = METHODS[name].title.replace("*", "").replace("`", "")
    yield f'<text x="{MARGIN}" y="{y + 13}">{escape(title)}</text>'
    left, height = MARGIN + LABEL, ROW - 6
    yield f'<rect class="{kind}" x="{left}" y="{y}" width="{median * scale:.1f}" height="{height}"/>'
    if least < most:
        middle = y + height / 2
        yield (f'<path class="spread" d="M{left + least * scale:.1f} {middle}H{left + most * scale:.1f}"/>')
    yield f'<text x="{left + most * scale + 8:.1f}" y="{y + 13}">{median:.2f}</text>'

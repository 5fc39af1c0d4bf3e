"""Small bar charts as SVG, drawn on the server: no script, no library, readable by a screen reader."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

WIDTH, HEIGHT, _GAP = 600, 96, 1


_FIGURE = Markup(
    '<figure class="chart"><figcaption><span>{label}</span><span class="peak">max {peak}{unit}</span></figcaption>'
    '<svg viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" aria-label="{label}: {count} values, at most '
    '{peak}{unit}"><line x1="0" x2="{w}" y1="{base}" y2="{base}"/>{drawn}</svg></figure>'
)
_RECT = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')


class Bar(NamedTuple):
    """A bar: its height (None leaves a gap), its text, and a class of the style sheet."""

    value: float | None
    text: str
    kind: str = ""


def bars(label: str, values: Sequence[Bar], unit: str = "") -> Markup:
    """Return a bar chart from zero, oldest first, with its largest value written above it."""
    largest = max((bar.value for bar in values if bar.value is not None), default=0.0)
    width = min(24.0, WIDTH / max(len(values), 1))
    drawn = Markup("").join(
        _bar(bar, place * width, width, largest) for place, bar in enumerate(values) if bar.value is not None
    )
    return _FIGURE.format(
        label=label,
        peak=_short(largest),
        unit=unit,
        w=WIDTH,
        h=HEIGHT,
        base=HEIGHT - 0.5,
        count=len(values),
        drawn=drawn,
    )


def _bar(bar: Bar, x: float, width: float, largest: float) -> Markup:
    share = (bar.value or 0.0) / largest if largest else 0.0
    height = max(share * (HEIGHT - 4), 1.5 if bar.value else 0.0)
    return _RECT.format(bar.kind, x, HEIGHT - height, max(width - _GAP, 0.5), height, bar.text)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:,.2f}"

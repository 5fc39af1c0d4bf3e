"""``docs/models.svg``: which table is built from which, from the sources to the marts, as contracts and marts say."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment

from promptsales.settings import ROOT
from promptsales.specs.feed import CORE, contracts
from promptsales.specs.mart import catalogue
from promptsales.specs.stream import stream_contracts

PICTURE = ROOT / "docs" / "models.svg"
TEMPLATE = Path(__file__).with_name("graph.svg.j2")

COLUMN, ROW, WIDTH, MARGIN = 300, 25, 226, 40
# back and forth over the columns; more does not change the order
SWEEPS = 12

Edge = tuple[str, str]


class Box(NamedTuple):
    """A table, where it is drawn; ``layer`` is source, core, realtime, ops or marts."""

    name: str
    layer: str
    x: int
    y: int
    text: str


def edges() -> list[Edge]:
    """Each table with each one it is made of: source, what is loaded or streamed from it, marts."""
    return list(dict.fromkeys(_edges()))


def _edges() -> Iterator[Edge]:
    for feed in contracts().values():
        yield feed.source.relation, f"core.{feed.table}"
    for stream in stream_contracts().values():
        yield stream.source.relation, f"{stream.layer}.{stream.table}"
    for seed in sorted(CORE.glob("*/seed.csv")):
        yield f"{seed.parent.name}/seed.csv", f"core.{seed.parent.name}"
    for mart in catalogue().values():
        for name in mart.inputs:
            yield name, f"marts.{mart.mart}"


def picture() -> str:
    """The picture: sources to the left, each table to the right of all it is made of."""
    known = edges()
    columns = _ordered(_columns(known), known)
    height = ROW * max(map(len, columns))
    texts = _texts()
    boxes = {
        name: Box(name, _layer(name), MARGIN + COLUMN * depth, MARGIN + int((place + 0.5) * height / len(column)),
                  texts.get(name, ""))
        for depth, column in enumerate(columns)
        for place, name in enumerate(column)
    }  # fmt: skip
    return (
        Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
        .from_string(TEMPLATE.read_text(encoding="utf-8"))
        .render(
            boxes=boxes.values(),
            edges=[(boxes[above], boxes[below]) for above, below in known],
            width=2 * MARGIN + COLUMN * (len(columns) - 1) + WIDTH,
            height=2 * MARGIN + height,
            box_width=WIDTH,
            bend=(COLUMN - WIDTH) // 2,
        )
    )


def _layer(name: str) -> str:
    layer = name.partition(".")[0]
    return layer if layer in ("core", "realtime", "ops", "marts") else "source"


def _texts() -> dict[str, str]:
    found = {f"core.{feed.table}": feed.description for feed in contracts().values()}
    found |= {f"{one.layer}.{one.table}": one.description for one in stream_contracts().values()}
    return found | {f"marts.{mart.mart}": mart.description for mart in catalogue().values()}


def _columns(known: Iterable[Edge]) -> list[list[str]]:
    """The tables by how far they are from the sources; what is loaded stands in the second column."""
    above: dict[str, list[str]] = {}
    for upper, lower in known:
        above.setdefault(upper, [])
        above.setdefault(lower, []).append(upper)
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            least = 0 if _layer(name) == "source" else 1
            depths[name] = max([least, *(depth(upper) + 1 for upper in above[name])])
        return depths[name]

    columns: list[list[str]] = [[] for _ in range(max(map(depth, above)) + 1)]
    for name in sorted(above):
        columns[depth(name)].append(name)
    return columns


def _ordered(columns: list[list[str]], known: list[Edge]) -> list[list[str]]:
    """Each column in the order of what its tables are joined with, which leaves few crossings."""
    near: dict[str, list[str]] = {}
    for upper, lower in known:
        near.setdefault(upper, []).append(lower)
        near.setdefault(lower, []).append(upper)
    for _ in range(SWEEPS):
        for column in (*columns, *reversed(columns)):
            place = {name: at / len(one) for one in columns for at, name in enumerate(one)}
            column.sort(key=lambda name: (sum(place[other] for other in near[name]) / len(near[name]), name))
    return columns

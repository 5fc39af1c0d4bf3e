"""Draw ``docs/models.svg``, the lineage from the source tables to the marts, from the contracts and ``mart.yml``."""

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
# passes over the columns; more passes do not change the order
SWEEPS = 12

Edge = tuple[str, str]


class Box(NamedTuple):
    """A table and its position in the drawing; ``layer`` is source, core, realtime, ops or marts."""

    name: str
    layer: str
    x: int
    y: int
    text: str


def edges() -> list[Edge]:
    """Return the pairs of a table and one that is built from it: source to core or realtime, those to marts."""
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
    """Return the drawing as SVG: sources on the left, each table to the right of all its inputs."""
    lineage = edges()
    columns = _ordered(_columns(lineage), lineage)
    height = ROW * max(map(len, columns))
    texts = _texts()
    boxes = {
        name: Box(name, _layer(name), MARGIN + COLUMN * depth, MARGIN + int((row + 0.5) * height / len(column)),
                  texts.get(name, ""))
        for depth, column in enumerate(columns)
        for row, name in enumerate(column)
    }  # fmt: skip
    return (
        Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
        .from_string(TEMPLATE.read_text(encoding="utf-8"))
        .render(
            boxes=boxes.values(),
            edges=[(boxes[upstream], boxes[downstream]) for upstream, downstream in lineage],
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
    texts = {f"core.{feed.table}": feed.description for feed in contracts().values()}
    texts |= {f"{stream.layer}.{stream.table}": stream.description for stream in stream_contracts().values()}
    return texts | {f"marts.{mart.mart}": mart.description for mart in catalogue().values()}


def _columns(lineage: Iterable[Edge]) -> list[list[str]]:
    """Return the tables by their distance from the sources; tables that are loaded start in the second column."""
    inputs: dict[str, list[str]] = {}
    for upstream, downstream in lineage:
        inputs.setdefault(upstream, [])
        inputs.setdefault(downstream, []).append(upstream)
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            least = 0 if _layer(name) == "source" else 1
            depths[name] = max([least, *(depth(upstream) + 1 for upstream in inputs[name])])
        return depths[name]

    columns: list[list[str]] = [[] for _ in range(max(map(depth, inputs)) + 1)]
    for name in sorted(inputs):
        columns[depth(name)].append(name)
    return columns


def _ordered(columns: list[list[str]], lineage: list[Edge]) -> list[list[str]]:
    """Sort each column by the mean position of its tables' neighbours, which leaves few crossing lines."""
    neighbours: dict[str, list[str]] = {}
    for upstream, downstream in lineage:
        neighbours.setdefault(upstream, []).append(downstream)
        neighbours.setdefault(downstream, []).append(upstream)
    for _ in range(SWEEPS):
        for column in (*columns, *reversed(columns)):
            position = {name: row / len(names) for names in columns for row, name in enumerate(names)}
            column.sort(key=lambda name: (_mean([position[near] for near in neighbours[name]]), name))
    return columns


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)

"""Draw docs/architecture.svg from the imports: ``python -m tests.architecture``.

A row is a layer of the contract in setup.cfg, a box is a folder. An arrow is an import that no longer chain of arrows
implies, so that the picture stays readable. A test fails when the file differs from what the code would draw.
"""

from collections.abc import Iterator
from configparser import ConfigParser
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
LIBRARY, APPLICATIONS = "promptsales", ("local", "spark_jobs", "streams")

WIDTH, ROW, BOX_HEIGHT, MARGIN = 960, 74, 38, 16
BOXES_FROM, GAP = 130, 14
BASE = "base modules"


def layers() -> list[list[str]]:
    """Return the folders of each layer, the highest first; the base modules are one box."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    rows = config["importlinter:contract:layers"]["layers"].split("\n")
    named = [row.replace(":", "|").split("|") for row in rows if row]
    *upper, _ = [[name.strip() for name in names] for names in named]
    edges, *lower = upper
    return [["dags", "streams"], edges, ["spark_jobs", "local"], *lower, [BASE]]


def imports() -> dict[str, set[str]]:
    """Return which folder imports which, dags included."""
    graph = grimp.build_graph(LIBRARY, *APPLICATIONS, cache_dir=None)
    edges: dict[str, set[str]] = {}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            _add(edges, _folder(module), _folder(imported))
    for path in (ROOT / "dags").glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"from {LIBRARY}."):
                _add(edges, "dags", _folder(line.split()[1]))
    return edges


def _folder(module: str) -> str:
    package, _, rest = module.partition(".")
    if package != LIBRARY:
        return package
    name = rest.split(".")[0]
    return name if (ROOT / LIBRARY / name).is_dir() and name not in ("", "failures") else BASE


def _add(edges: dict[str, set[str]], source: str, target: str) -> None:
    if source != target:
        edges.setdefault(source, set()).add(target)


def reduced(edges: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield the edges that no longer path implies; the graph has no cycle."""

    def reachable(name: str) -> set[str]:
        return edges.get(name, set()).union(*(reachable(target) for target in edges.get(name, ())))

    for source in sorted(edges):
        for target in sorted(edges[source]):
            if not any(target in reachable(middle) for middle in edges[source] - {target}):
                yield source, target


def picture() -> str:
    """Return the picture as SVG."""
    rows = layers()
    places = {name: place for number, row in enumerate(rows) for name, place in _row(number, row)}
    arrows = [_arrow(places[source], places[target]) for source, target in reduced(imports())]
    boxes = [_box(name, place) for name, place in places.items()]
    height = MARGIN * 2 + ROW * len(rows) - (ROW - BOX_HEIGHT)
    title = "Folders of the repository by layer; arrows are imports"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">',
        "<style>text{font:13px sans-serif;fill:#1a1a2e}.box{fill:#eef3fb;stroke:#5b7db1}"
        ".app{fill:#fdf3e3;stroke:#c98a2b}.base{fill:#eef7ee;stroke:#5a9a5a}.label{font-size:11px;fill:#667}line{stroke:#8a94a6;stroke-width:1}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#8a94a6"/></marker></defs>',
        *arrows,
        *boxes,
        *_labels(rows),
        "</svg>\n",
    ])  # fmt: skip


def _row(number: int, names: list[str]) -> Iterator[tuple[str, tuple[float, float, float]]]:
    room = WIDTH - BOXES_FROM - MARGIN
    width = min(150.0, (room - GAP * (len(names) - 1)) / len(names))
    start = BOXES_FROM + (room - width * len(names) - GAP * (len(names) - 1)) / 2
    for index, name in enumerate(names):
        yield name, (start + index * (width + GAP), MARGIN + number * ROW, width)


def _arrow(source: tuple[float, float, float], target: tuple[float, float, float]) -> str:
    (x, y, width), (to_x, to_y, to_width) = source, target
    ends = f'x2="{to_x + to_width / 2:.0f}" y2="{to_y:.0f}"'
    return f'<line x1="{x + width / 2:.0f}" y1="{y + BOX_HEIGHT:.0f}" {ends} marker-end="url(#tip)"/>'


def _box(name: str, place: tuple[float, float, float]) -> str:
    x, y, width = place
    kind = "base" if name == BASE else "app" if name in (*APPLICATIONS, "dags") else "box"
    return (
        f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 24:.0f}" text-anchor="middle">{escape(name)}</text>'
    )


def _labels(rows: list[list[str]]) -> Iterator[str]:
    names = (
        "applications",
        "edges",
        "applications",
        "overview",
        "capabilities",
        "",
        "",
        "reading",
        "shared",
        "",
        "",
        "systems",
        "specs",
    )
    for number, name in enumerate((*names, "base")[: len(rows)]):
        yield f'<text class="label" x="{MARGIN}" y="{MARGIN + number * ROW + 23}">{name}</text>'


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")

"""Every file, folder, heading and test that a document, docstring, comment or message cites is in the repository."""

from pathlib import Path

import pytest

from promptsales.settings import ROOT
from tests.support.citations import Tree

# what a small repository holds, by path
HELD = {
    "docs/loads.md": "# Loads\n\n## Where nothing may be created\n\n### 2.1 Checks\n\n## Speed\n\n## Speed\n",
    "warehouse/core/leads/contract.yml": "table: leads\n",
    "library/load/merge.py": '"""Merge."""\n\n\ndef merge() -> None:\n    """Merge."""\n',
    "tests/unit/test_merge.py": "def test_merge() -> None:\n    pass\n",
}
RESOLVED = {
    "README.md": """
[loads](docs/loads.md), [there](docs/loads.md#where-nothing-may-be-created), [second](docs/loads.md#speed-1),
[here](#top), [folder](docs), [elsewhere](https://host.example/gone.md), `docs/`, `library/load`,
`load/merge.py`, `merge.py`.

# Top

`unit/test_merge.py::test_merge`, `warehouse/core/*/contract.yml`, `warehouse/core/<feed>/contract.yml`, `contract.yml`.
Run `promptsales contracts new crm.visits`: it makes `warehouse/core/visits/` with `visits/table.sql`.
Settings are in `docs/settings.env`.
""",
    "docs/more.md": "[loads](loads.md) [merge](../library/load/merge.py)\n",
    "library/load/read.py": '"""Read, as docs/loads.md section 2.1 says."""\n\nPATH = "gone.py"  # see merge.py\n',
    "library/page.py": 'LINK = "[loads](../docs/loads.md)"\n',
    "library/read.sql": "-- docs/loads.md#speed\nselect 'gone.sql'\n",
    "tests/unit/test_read.py": 'PAGE = "gone.md"\n',
}
UNRESOLVED = [
    ("README.md", "[x](gone.md)", "gone.md"),
    ("README.md", "[x](docs/loads.md#gone)", "docs/loads.md#gone"),
    ("README.md", "[x](#gone)", "#gone"),
    ("README.md", "[x](load/merge.py)", "load/merge.py"),
    ("README.md", "`docs/gone/`", "docs/gone/"),
    ("README.md", "`library/gone`", "library/gone"),
    ("README.md", "library/merge.py", "library/merge.py"),
    ("README.md", "`test_merge.py::test_gone`", "test_merge.py::test_gone"),
    ("README.md", "`warehouse/*/contract.py`", "warehouse/*/contract.py"),
    ("README.md", "`docs/gone/` `promptsales load gone`", "docs/gone/"),
    ("docs/more.md", "[x](docs/loads.md)", "docs/loads.md"),
    ("library/a.py", '"""As gone.md says."""', "gone.md"),
    ("library/a.py", '"""As loads.md section 2.2 says."""', "loads.md section 2.2"),
    ("library/a.py", "A = 1  # lessons/gone.md", "lessons/gone.md"),
    ("library/a.py", "A = f'see docs/gone.md, {1}'", "docs/gone.md"),
    ("library/a.sql", "select 1 -- gone.py", "gone.py"),
    ("warehouse/core/leads/a.yml", "rule: 1 # as in gone.yml", "gone.yml"),
    ("warehouse/core/leads/a.yml", "description: see gone.md", "gone.md"),
    ("Makefile", "run: ## gone.md", "gone.md"),
    ("tests/unit/test_read.py", '"""As in gone.py."""', "gone.py"),
]


def tree(root: Path, files: dict[str, str]) -> Tree:
    """Write files below a folder."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return Tree(root)


def test_every_citation_resolves() -> None:
    repository = Tree(ROOT)
    unresolved = repository.unresolved()
    assert unresolved == [], "cite what is in the repository, or nothing:\n" + "\n".join(unresolved)
    assert len(set(repository.citations())) > 400


def test_citations_that_resolve(tmp_path: Path) -> None:
    assert tree(tmp_path, HELD | RESOLVED).unresolved() == []


@pytest.mark.parametrize(("page", "text", "target"), UNRESOLVED)
def test_a_citation_that_leads_nowhere(tmp_path: Path, page: str, text: str, target: str) -> None:
    assert tree(tmp_path, HELD | {page: f"{text}\n"}).unresolved() == [f"{page}:1: {target}"]


def test_environments_and_caches_are_not_searched(tmp_path: Path) -> None:
    built = {".venv/a.md": "gone.md", ".state/b.md": "gone.md", "__pycache__/c.md": "gone.md"}
    assert tree(tmp_path, HELD | built | {".github/d.md": "gone.md"}).unresolved() == [".github/d.md:1: gone.md"]

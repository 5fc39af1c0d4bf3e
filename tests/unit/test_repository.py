"""The files that a contributor relies on agree with the tools, targets and tables that they name."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from promptsales import __version__
from promptsales.settings import ROOT

GITHUB = ROOT / ".github"
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check_recipe() -> str:
    """Return the commands of `make check`: those of the targets that it runs side by side."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^([\w-]+):.*\n((?:\t.*\n)+)", makefile, re.M))
    parts = re.findall(r"\bcheck-\w+", recipes["check"])
    assert len(parts) == 6
    return "".join(recipes[part] for part in parts)


def test_contributing_names_each_tool_of_make_check() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tools = set(re.findall(r"\$\(BIN\)/([\w-]+)", check_recipe())) - {"python"}
    assert {tool for tool in tools if f"| `{tool}` |" not in text} == set(), "add them to What `make check` runs"


def test_hooks_call_the_tools_of_make_check() -> None:
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    entries = [shlex.split(hook["entry"]) for hook in repository["hooks"]]
    assert [" ".join(entry[:2]) for entry in entries] == [
        ".venv/bin/ruff format",
        ".venv/bin/ruff check",
        ".venv/bin/mypy",
    ]
    assert all(Path(entry[0]).name in check_recipe() for entry in entries)


def test_ci_has_a_fast_job_beside_the_full_one() -> None:
    jobs = read(GITHUB / "workflows" / "ci.yml")["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands == {"check": ["make check"], "test": [".ci/run"], "quality": ["make run", "make quality"]}
    assert jobs["check"]["timeout-minutes"] < jobs["test"]["timeout-minutes"]
    assert "needs" not in jobs["test"]


def test_dependency_updates_cover_packages_and_actions() -> None:
    updates = read(GITHUB / "dependabot.yml")["updates"]
    assert [(update["package-ecosystem"], update["directory"]) for update in updates] == [
        ("pip", "/"),
        ("github-actions", "/"),
    ]


def test_updates_that_are_held_back_are_direct_dependencies() -> None:
    held = [
        item["dependency-name"]
        for update in read(GITHUB / "dependabot.yml")["updates"]
        for item in update.get("ignore", [])
    ]
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert [name for name in held if not re.search(rf"^    {name}\b", setup, re.M)] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_one_that_github_accepts(form: Path) -> None:
    fields = read(form)
    assert {"name", "description", "body"} <= set(fields)
    items = [item for item in fields["body"] if item["type"] != "markdown"]
    assert {item["type"] for item in items} <= {"textarea", "input", "dropdown", "checkboxes"}
    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids))
    assert all(item["attributes"]["label"] for item in items)


def test_the_newest_minor_release_is_supported() -> None:
    minor, _, _ = __version__.rpartition(".")
    assert f"| {minor} | yes |" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_decisions_are_numbered_and_listed() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(\d+)\. [^]]+\]\(([^)]+)\) \|", index, re.M) == [
        (str(int(path.name[:4])), path.name) for path in DECISIONS
    ]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_parts_on_one_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(page.name[:4])}. ")
    assert re.findall(r"^## (.*)$", text, re.M) == ["Context", "Decision", "Consequences", "What was tried"]
    assert len(text.split()) < 700

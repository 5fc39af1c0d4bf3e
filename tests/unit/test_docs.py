"""Every Make target, command and setting is in the README or the docs."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from promptsales.cli.main import command_line
from promptsales.settings import ROOT, Settings

PAGES = (ROOT / "README.md", ROOT / "docker" / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
KINDS = ("tutorial", "how-to", "reference", "explanation")
GUIDES = sorted(page for kind in KINDS for page in (ROOT / "docs" / kind).glob("*.md"))
DOCS = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)


def commands(command: Any, name: str) -> list[str]:
    """Return the full names of a command's subcommands, or its own name when it has none."""
    subcommands = getattr(command, "commands", {})
    return [full for sub, inner in subcommands.items() for full in commands(inner, f"{name} {sub}")] or [name]


@pytest.mark.parametrize("command", commands(typer.main.get_command(command_line()), "promptsales"))
def test_command_is_documented(command: str) -> None:
    assert f"`{command}" in DOCS, f"`{command}` is on no page: add it to docs/reference/commands.md"


@pytest.mark.parametrize("target", re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))
def test_make_target_is_documented(target: str) -> None:
    assert f"`make {target}`" in DOCS, f"`make {target}` is on no page: add it to README.md"


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_setting_is_documented(setting: str) -> None:
    assert f"PROMPTSALES_{setting.upper()}" in DOCS, (
        f"setting {setting} is on no page: add it to docs/reference/settings.md"
    )


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_no_example_leads_to_a_password_in_a_command_line_or_a_history(page: Path) -> None:
    for example in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
        assert "$(promptsales dsn" not in example, "use `promptsales psql NAME`"
        assert not re.search(r"\w+://[^/\s]*:[^/\s]*@", example), "set the address in settings.env"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link, anchor in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        target = page.parent / link if link else page
        assert target.exists(), f"{page.name} links to {link}, which does not exist"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}#{anchor}: no such heading"


@pytest.mark.parametrize("page", GUIDES, ids=[page.stem for page in GUIDES])
def test_a_page_says_first_who_it_is_for(page: Path) -> None:
    assert re.match(r"# .+\n\nFor ", page.read_text(encoding="utf-8")), (
        f"{page} does not start with a title and 'For ..'"
    )


def test_the_index_links_to_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = re.findall(r"\]\(([^)#]+\.md)", index.read_text(encoding="utf-8"))
    assert {(index.parent / link).resolve() for link in linked} >= {*GUIDES}


def test_guarantees_name_tests_that_exist() -> None:
    guarantees = (ROOT / "docs" / "explanation" / "guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_/]+\.py)::(\w+)`", guarantees)
    assert len(named) > 30
    missing = [
        f"{file}::{test}"
        for file, test in named
        if f"def {test}(" not in (ROOT / "tests" / file).read_text(encoding="utf-8")
    ]
    assert missing == []

"""Every Make target, command and setting is in the README or the docs."""

import re
from typing import Any

import pytest
import typer.main

from promptsales.cli.main import command_line
from promptsales.settings import ROOT, Settings

DOCS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))


def commands(command: Any, name: str) -> list[str]:
    """Return the full names of a command's subcommands, or its own name when it has none."""
    subcommands = getattr(command, "commands", {})
    return [full for sub, inner in subcommands.items() for full in commands(inner, f"{name} {sub}")] or [name]


@pytest.mark.parametrize("command", commands(typer.main.get_command(command_line()), "promptsales"))
def test_command_is_documented(command: str) -> None:
    assert f"`{command}" in DOCS, f"`{command}` is on no page: add it to docs/commands.md"


@pytest.mark.parametrize("target", re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.M))
def test_make_target_is_documented(target: str) -> None:
    assert f"`make {target}`" in DOCS, f"`make {target}` is on no page: add it to README.md"


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_setting_is_documented(setting: str) -> None:
    assert f"PROMPTSALES_{setting.upper()}" in DOCS, f"setting {setting} is on no page: add it to docs/settings.md"


def test_relative_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}, which does not exist"


def test_guarantees_name_tests_that_exist() -> None:
    named = re.findall(r"`([a-z_/]+\.py)::(\w+)`", (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    missing = [
        f"{file}::{test}"
        for file, test in named
        if f"def {test}(" not in (ROOT / "tests" / file).read_text(encoding="utf-8")
    ]
    assert missing == []

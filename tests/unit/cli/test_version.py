"""`promptsales --version` prints the version of the release, and the changelog describes that release."""

import re

from typer.testing import CliRunner

from promptsales import __version__
from promptsales.cli.main import command_line
from promptsales.settings import ROOT


def test_version_is_the_declared_one() -> None:
    result = CliRunner().invoke(command_line(), ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"promptsales {__version__}\n")


def test_the_newest_release_of_the_changelog_is_the_declared_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[?([\w.]+)\]?(?: - (\d{4}-\d{2}-\d{2}))?$", changelog, re.M)
    assert releases[0] == ("Unreleased", "")
    assert releases[1][0] == __version__
    assert all(date for _, date in releases[1:])

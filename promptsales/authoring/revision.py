"""Read the contracts and suites of the working tree, and of a git revision."""

import subprocess
from typing import Any

from promptsales.documents import parse_yaml, read_yaml
from promptsales.errors import ConfigError
from promptsales.settings import ROOT
from promptsales.specs.feed import CORE


def read_working_tree(name: str) -> dict[str, Any]:
    """Return the parsed file of this name of every feed, from the working tree."""
    return {path.parent.name: read_yaml(path) for path in sorted(CORE.glob(f"*/{name}"))}


def read_revision(revision: str, name: str) -> dict[str, Any]:
    """Return the parsed file of this name of every feed, from a git revision.

    Raises:
        ConfigError: when there is no such revision.
    """
    folder = CORE.relative_to(ROOT).as_posix()
    paths = _git("ls-tree", "-r", "--name-only", "--full-tree", f"{revision}^{{commit}}", f"{folder}/").splitlines()
    files = [path for path in paths if path.endswith(f"/{name}") and path.count("/") == folder.count("/") + 2]
    return {path.split("/")[-2]: parse_yaml(_git("show", f"{revision}:{path}"), path) for path in files}


def _git(*words: str) -> str:
    process = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["no reason given"])[0]
        raise ConfigError(f"git {words[0]} failed: {reason}; pass --base a branch, tag or commit of this repository")
    return process.stdout

"""The contracts and suites of the working tree, and of a git revision."""

import subprocess
from typing import Any

import yaml

from promptsales.errors import ConfigError
from promptsales.settings import ROOT
from promptsales.specs.feed import CORE


def here(name: str) -> dict[str, Any]:
    """A file of every feed's folder, parsed, as the working tree has it."""
    return {path.parent.name: _parsed(str(path), path.read_text("utf-8")) for path in sorted(CORE.glob(f"*/{name}"))}


def at(revision: str, name: str) -> dict[str, Any]:
    """The same as a git revision has it.

    Raises:
        ConfigError: when git knows no such revision.
    """
    folder = CORE.relative_to(ROOT).as_posix()
    paths = _git("ls-tree", "-r", "--name-only", "--full-tree", f"{revision}^{{commit}}", f"{folder}/").splitlines()
    found = [path for path in paths if path.endswith(f"/{name}") and path.count("/") == folder.count("/") + 2]
    return {path.split("/")[-2]: _parsed(path, _git("show", f"{revision}:{path}")) for path in found}


def _parsed(path: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word why"])[0]
        raise ConfigError(f"git {words[0]} failed: {said}; --base takes a branch, tag or commit of this repository")
    return done.stdout

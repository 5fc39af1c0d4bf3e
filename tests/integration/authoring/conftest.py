"""A copy of the project's files with its command line, so that a test may add feeds to it; it uses the tests' stack."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promptsales.settings import ROOT, Settings

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the project's files into a git repository with one commit."""
    for folder in ("promptsales", "warehouse", "schemas", "dags", "local"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "warehouse"], ["commit", "-qm", "as it was"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def promptsales(stack: Settings, copy: Path) -> Command:
    """Return the command line of the copy, connected to the tests' stack."""

    def call(
        *words: str, code: str = "from promptsales.cli.main import main; main()"
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PYTHONPATH": str(copy),
            "PROMPTSALES_STATE": str(stack.state),
            "PROMPTSALES_PORT_BASE": str(stack.port_base),
        }
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(
            command, cwd=copy, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )

    return call


_SEVERAL = """
import contextlib, io, json, psycopg, sys, traceback
from promptsales.cli.main import main
from promptsales.monitoring.doctor import diagnose
from promptsales.settings import settings

def run(command):
    first, _, rest = command.partition(" ")
    if first == "sql":
        with psycopg.connect(settings().address("promptcrm")) as source:
            source.execute(rest.encode())
    elif first == "diagnose":
        print(json.dumps([list(finding) for finding in diagnose(settings()) if rest in " ".join(finding)]))
    else:
        sys.argv = ["promptsales", *command.split()]
        main()

found = []
for command in json.loads(sys.argv[1]):
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run(command)
        except SystemExit as error:
            code = error.code or 0
        except Exception:
            code = 1
            traceback.print_exc()
    found.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(found))
"""


def several(promptsales: Command, *commands: str) -> list[Any]:
    """Run commands in one process, as their imports take longer than they do; return what each prints as JSON.

    ``sql`` runs a statement in the CRM. ``diagnose`` returns the findings of `promptsales doctor` about a table: the
    copy has no servers of its own whose status doctor could check.
    """
    result = promptsales(json.dumps(commands), code=_SEVERAL)
    assert result.returncode == 0, result.stderr
    results = json.loads(result.stdout)
    assert [(command, err) for command, (code, _, err) in zip(commands, results, strict=True) if code] == []
    return [json.loads(out) if out.lstrip()[:1] in ("[", "{") else out for _, out, _ in results]

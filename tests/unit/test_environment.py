"""The repository installs the same packages everywhere: pinned by hash, no registry's host, no machine's path."""

import re
import subprocess

from promptsales.settings import ROOT


def tracked() -> list[str]:
    result = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return result.stdout.split()


def test_every_requirement_is_pinned_by_hash() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    pins = re.findall(r"^[a-z0-9][^ ]*==\S+ \\\n +--hash=sha256:", lock, re.M)
    assert len(pins) == len(re.findall(r"^[a-z0-9]", lock, re.M)) > 100


def test_no_file_names_a_registry_or_a_machine() -> None:
    forbidden = re.compile(r"(pypi|pythonhosted|maven|npmjs)\.(org|com|io)|(?<![\w.$}])/(root|work|home/\w+)/")
    for name in tracked():
        path = ROOT / name
        if name == "tests/unit/test_environment.py" or path.suffix == ".png" or not path.is_file():
            continue
        match = forbidden.search(path.read_text(encoding="utf-8"))
        assert match is None, f"{name} names {match.group() if match else ''}"

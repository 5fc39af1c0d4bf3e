"""The repository installs the same everywhere: hashes, no host, no path of a machine."""

import re
import subprocess

from promptsales.settings import ROOT


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


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
        found = forbidden.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{name} names {found.group() if found else ''}"

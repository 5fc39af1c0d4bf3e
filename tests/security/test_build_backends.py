"""What builds our packages is pinned: a newer release of setuptools, in whatever index, runs no code here."""

import hashlib
import io
import os
import re
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

from promptsales.settings import ROOT

INSTALL = (ROOT / "local" / "install").read_text(encoding="utf-8")
# the backend that an attacker has published as the newest setuptools: it runs when it is imported
BACKEND = "import pathlib; pathlib.Path({marker!r}).touch(); raise SystemExit('attacked')\n"
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def publish_setuptools(index: Path, marker: Path) -> None:
    info = "setuptools-999.0.dist-info"
    with zipfile.ZipFile(index / "setuptools-999.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("setuptools/__init__.py", BACKEND.format(marker=str(marker)))
        wheel.writestr(f"{info}/METADATA", METADATA.format(name="setuptools", version="999.0"))
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")


def publish_package(index: Path) -> str:
    """Publish a package without a wheel, as Spark's is; return its line in a lock file."""
    path = index / "promptsales_victim-1.0.tar.gz"
    name = "promptsales-victim"
    files = {
        "PKG-INFO": METADATA.format(name=name, version="1.0"),
        "setup.py": f"from setuptools import setup\nsetup(name={name!r}, version='1.0')\n",
    }
    with tarfile.open(path, "w:gz") as archive:
        for file, text in files.items():
            entry = tarfile.TarInfo(f"promptsales_victim-1.0/{file}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_a_newer_backend_in_the_index_is_not_run(tmp_path: Path) -> None:
    index, marker = tmp_path / "index", tmp_path / "attacked"
    index.mkdir()
    publish_setuptools(index, marker)
    (tmp_path / "lock.txt").write_text(publish_package(index))
    (exports,) = re.findall(r"^ +export (UV_.*)$", INSTALL, re.M)
    command = f'export {exports}; exec .venv/bin/uv pip install --no-cache --no-index --find-links "$1" --target "$2" '
    command += '--no-deps --require-hashes -r "$3"'
    paths = [str(index), str(tmp_path / "out"), str(tmp_path / "lock.txt")]
    result = subprocess.run(
        ["bash", "-c", command, "install", *paths],
        cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not marker.exists()
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "promptsales_victim-1.0.dist-info").exists()


def test_every_step_of_the_installation_checks_hashes_or_fetches_nothing() -> None:
    steps = re.findall(r"bin/(?:uv )?pip (?:install|sync) .*$", INSTALL, re.M)
    assert len(steps) == 4
    assert [step for step in steps if "--require-hashes" not in step] == ["bin/uv pip install --no-deps -e ."]


def test_pinning_new_versions_builds_with_the_locked_backend() -> None:
    commands = re.findall(r"uv pip compile .*$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert [command for command in commands if "--no-build-isolation" not in command] == []
    assert len(commands) == 5


def test_the_backend_is_the_one_of_the_lock_file() -> None:
    locked = re.search(r"^setuptools==(\S+) ", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    assert locked
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    assert build["requires"] == [f"setuptools=={locked[1]}"], (
        "write the version of requirements.txt into pyproject.toml"
    )

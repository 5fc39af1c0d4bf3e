"""Build an environment for each tool from its hash-locked list of packages, apart from the project's own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bench.peers.process import last_lines
from promptsales.errors import TransientError

LOCKS = Path(__file__).parent
# uv: no progress bars, the machine's certificates, and a registry that is slow to answer
INSTALLER = {"UV_NO_PROGRESS": "1", "UV_SYSTEM_CERTS": "1", "UV_HTTP_TIMEOUT": "180"}


class InstallationError(TransientError):
    """An environment could not be built."""


def lock(tool: str) -> Path:
    """Return the file that pins the packages of a tool."""
    return LOCKS / f"{tool}.lock"


def version(tool: str) -> str:
    """Return the pinned version of a tool."""
    pin = re.search(rf"^{tool}(?:-linux-amd64)?(?:\[.*?\])?==([^\s;]+)", lock(tool).read_text(encoding="utf-8"), re.M)
    if pin is None:
        raise ValueError(f"{lock(tool)} pins no {tool}; run `make lock`")
    return pin[1]


def build(tool: str, folder: Path) -> Path:
    """Install the pinned packages of a tool into an environment below a folder, unless it has them; return it.

    Raises:
        InstallationError: when the registry cannot be reached, or it does not have the packages.
    """
    home, pins = folder / f"env-{tool}", lock(tool)
    stamp = home / "installed.lock"
    if stamp.exists() and stamp.read_bytes() == pins.read_bytes():
        return home
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    _uv(tool, "venv", "--quiet", "--python", sys.executable, str(home))
    # bytecode is compiled now, as in our own environment, and not within a timed run
    options = ("--compile-bytecode", "--require-hashes", "--only-binary", ":all:", str(pins))
    _uv(tool, "pip", "sync", "--quiet", "--python", str(home / "bin" / "python"), *options)
    stamp.write_bytes(pins.read_bytes())
    return home


def _uv(tool: str, *arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [uv, "--no-config", *arguments], env=os.environ | INSTALLER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise InstallationError(
            f"{tool} {version(tool)} could not be installed from the package registry; check the network, or leave it "
            f"out with --only; the installer said: {last_lines(done.stdout)}"
        )

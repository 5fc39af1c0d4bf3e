"""The images of docker/compose.yml: from the registry where one can be reached, else made on this machine.

Nothing that a user gets is made here: the base image comes from Debian's packages, and stand-ins take the place of the
official images of the servers.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from promptsales.settings import ROOT

HERE = Path(__file__).parent
PREFIX = "promptsales-test"
SERVERS = ("postgres", "mongo", "redis", "kafka")
_BASE, _PIPELINE, _CONNECT = (f"{PREFIX}/{name}" for name in ("base", "pipeline", "connect"))
# the machine's certificates go into the base: package registries may be reached through a proxy that needs them
_PACKAGES = "ca-certificates,python3,python3-venv"
_CERTIFICATES = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt"


def docker(*arguments: str) -> str:
    """Run ``docker`` and return what it printed; its errors go to the test's output."""
    return subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def missing() -> str:
    """Return what this machine lacks to start the containers, or an empty string."""
    if not shutil.which("docker"):
        return "there is no command docker"
    for command, lack in ((["version"], "no Docker engine answers"), (["compose", "version"], "docker has no compose")):
        result = subprocess.run(["docker", *command], capture_output=True, text=True, check=False)
        if result.returncode:
            return f"{lack}: {result.stderr.strip().splitlines()[-1]}"
    return ""


def build() -> list[Path]:
    """Build every image and return the files with which Compose finds them."""
    default = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8").partition("PYTHON_IMAGE=")[2].split()[0]
    if _is_there(default) or _can_pull(default):
        _build(ROOT / "docker" / "Dockerfile", _PIPELINE, "pipeline")
        _build(ROOT / "docker" / "Dockerfile", _CONNECT, "connect")
        return [HERE / "override.yml"]
    if not _is_there(_BASE):
        _make_base()
    _build(ROOT / "docker" / "Dockerfile", _PIPELINE, "pipeline", PYTHON_IMAGE=_BASE)
    for name in SERVERS:
        _build(HERE / "stand_ins" / "Dockerfile", f"{PREFIX}/{name}", name, PIPELINE_IMAGE=_PIPELINE)
    images = {"PYTHON_IMAGE": _BASE, "KAFKA_IMAGE": f"{PREFIX}/kafka"}
    _build(ROOT / "docker" / "Dockerfile", _CONNECT, "connect", **images)
    return [HERE / "override.yml", HERE / "stand_ins.yml"]


def _is_there(image: str) -> bool:
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0


def _can_pull(image: str) -> bool:
    return subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, check=False).returncode == 0


def _build(file: Path, image: str, target: str, **arguments: str) -> None:
    context = ROOT if file.parent == ROOT / "docker" else file.parent
    words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    command = ["docker", "build", "--quiet", "--network", "host", "--file", str(file), "--target", target, *words]
    subprocess.run([*command, "--tag", image, str(context)], check=True, env=os.environ | {"DOCKER_BUILDKIT": "1"})


def _make_base() -> None:
    """Make an image of Debian 12, whose Python is 3.11, from where this machine gets its own packages."""
    targets = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirrors = subprocess.run(targets, check=True, capture_output=True, text=True).stdout.split()
    mirror = next(uri for uri in mirrors if uri.rstrip("/").endswith("/debian"))
    with tempfile.TemporaryDirectory(prefix="promptsales-base-") as folder:
        make = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", folder, mirror]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        shutil.copytree("/etc/ssl/certs", f"{folder}/etc/ssl/certs", symlinks=True, dirs_exist_ok=True)
        with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as tar:
            load = ["docker", "import", "--change", f"ENV {_CERTIFICATES}", "-", _BASE]
            subprocess.run(load, check=True, stdin=tar.stdout, stdout=subprocess.DEVNULL)

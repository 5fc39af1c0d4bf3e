"""Spark starts with, without, and with a broken class data archive; the first start writes one."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from promptsales.settings import ROOT

PATIENCE_S = 600
# prints Spark's answer, and whether the JVM has mapped the archive
START = """
import sys
from pathlib import Path
from spark_jobs import driver
from spark_jobs.session import session
driver.ARCHIVES = Path(sys.argv[1])
if "broken" in sys.argv:
    driver.archive_of(driver.java()).write_text("this is no archive")
with session("local[1]", "512m", 1) as spark:
    (row,) = spark.sql("select 7 as n").collect()
    maps = Path(f"/proc/{driver._processes[0].pid}/maps").read_text()
    print(row.n, str(driver.archive_of(driver.java())) in maps)
"""


def start(archives: Path, *words: str) -> list[str]:
    """Start Spark in a process of its own and return what it printed; nothing else may be on standard output."""
    command = [sys.executable, "-c", START, str(archives), *words]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


@pytest.mark.timeout(900)
def test_the_first_start_writes_an_archive_that_the_next_one_uses(tmp_path: Path) -> None:
    assert start(tmp_path) == ["7", "False"]
    until = time.monotonic() + PATIENCE_S
    while not list(tmp_path.glob("*.jsa")):
        assert time.monotonic() < until
        time.sleep(1)
    assert start(tmp_path) == ["7", "True"]


def test_a_broken_archive_is_ignored(tmp_path: Path) -> None:
    assert start(tmp_path, "broken") == ["7", "False"]


def test_spark_starts_where_no_archive_can_be_written(tmp_path: Path) -> None:
    assert start(tmp_path / "absent") == ["7", "False"]

"""`make test` runs every test exactly once, side by side, and its exit code and summary say what failed."""

import os
import signal
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from promptsales.settings import ROOT
from tests.__main__ import ALONE, ANY, APART, FULL
from tests.support.lanes import Group, Lanes, Result, count

# the checks run the first, `make test-bi` the second and `make test-containers` the third
ELSEWHERE = ("tests/unit/*", "tests/bi/*", "tests/containers/*")


def selected(group: Group) -> list[str]:
    """Return the files of tests that a group selects."""
    ignored = [word.removeprefix("--ignore=") for word in group.arguments if word.startswith("--ignore=")]
    paths = [word for word in group.arguments if not word.startswith("-")]
    found = [file for path in paths for file in files() if file == path or file.startswith(f"{path}/")]
    assert all((ROOT / path).exists() for path in [*paths, *ignored])
    return [file for file in found if not any(file == path or file.startswith(f"{path}/") for path in ignored)]


def files() -> list[str]:
    found = (str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
    return sorted(name for name in found if not any(fnmatch(name, other) for other in ELSEWHERE))


def test_every_file_is_in_one_group() -> None:
    assert Counter(file for group in (*APART, *FULL, *ALONE, *ANY) for file in selected(group)) == Counter(files())


def lanes(said: list[str]) -> Lanes:
    """Return lanes whose groups run their first argument as Python."""
    return Lanes(lambda group: [sys.executable, "-c", group.arguments[0]], said.append)


def test_lanes_share_a_queue_and_each_group_runs_once() -> None:
    said: list[str] = []
    run, shared = lanes(said), deque(Group(str(number), ("print('1 passed in 0.1s')",)) for number in range(4))
    queues = [[deque([Group("first", ("print('2 passed, 1 skipped in 3.00s')",))]), shared], [shared]]
    threads = [threading.Thread(target=run.run, args=(lane, os.environ)) for lane in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted((result.name, result.code, result.counts) for result in run.results)
    assert found == [*((str(n), 0, "1 passed") for n in range(4)), ("first", 0, "2 passed, 1 skipped")]
    assert not shared
    assert len(said) == 5


def test_the_output_of_a_failed_group_is_printed_as_a_whole() -> None:
    said: list[str] = []
    code = "import sys; print('the reason', flush=True); print('1 failed in 2s', file=sys.stderr); sys.exit(1)"
    run = lanes(said)
    run.run([deque([Group("bad", (code,))])], os.environ)
    (result,), (text,) = run.results, said
    assert (result.code, result.counts) == (1, "1 failed")
    assert "the reason\n1 failed in 2s\n" in text
    assert str(result._replace(seconds=7)) == "bad          FAILED (exit code 1)       7 s  1 failed"


@pytest.fixture
def _may_interrupt() -> Iterator[None]:
    """Let child processes obey SIGINT although a shell started the tests in its background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_may_interrupt")
def test_a_stop_interrupts_what_runs_and_starts_nothing_else(tmp_path: Path) -> None:
    mark, said = tmp_path / "runs", list[str]()
    sleeps = f"import pathlib, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(60)"
    run, queue = lanes(said), deque([Group("long", (sleeps,)), Group("next", ("print('1 passed in 0.1s')",))])
    thread = threading.Thread(target=run.run, args=([queue], os.environ))
    thread.start()
    while not mark.exists():
        assert thread.is_alive()
        time.sleep(0.01)
    run.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert [(result.name, result.code != 0) for result in run.results] == [("long", True)]
    assert [group.name for group in queue] == ["next"]


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("..F\n=== 1 failed, 919 passed in 1155.89s (0:19:15) ===\n", "1 failed, 919 passed"),
        ("...\n45 passed, 2 warnings in 281.02s (0:04:41)\n", "45 passed, 2 warnings"),
        ("no tests ran in 0.01s\n", "no totals"),
        ("Traceback\n", "no totals"),
    ],
)
def test_totals(output: str, counts: str) -> None:
    assert count(output) == counts


def test_a_line_of_the_summary() -> None:
    line = str(Result("streams", 0, "3 passed", 61.4))
    assert line == "streams      passed                    61 s  3 passed"

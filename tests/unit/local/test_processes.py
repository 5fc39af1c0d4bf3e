"""Processes that an earlier start left running are stopped, and no others."""

import socket
import subprocess
import sys
from pathlib import Path

from local import processes


def test_leftovers_are_found_by_their_folder_and_stopped(tmp_path: Path) -> None:
    home = tmp_path / "data" / "kafka"
    home.mkdir(parents=True)
    command = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"]
    ours = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, start_new_session=True)
    foreign = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True)
    with ours, foreign:
        for process in (ours, foreign):
            assert process.stdout is not None
            process.stdout.readline()
        leftovers = processes.find_leftovers(tmp_path)
        assert [process.pid for process in leftovers] == [ours.pid]
        processes.stop(leftovers)
        assert processes.find_leftovers(tmp_path) == []
        assert foreign.poll() is None
        foreign.kill()


def test_memory_of_nothing() -> None:
    assert processes.memory_mb([]) == 0


def test_holder_is_this_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert processes.find_holder(server.getsockname()[1]).startswith("process ")

"""What an earlier start left behind is found and ended; nothing else is."""

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
    other = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True)
    with ours, other:
        for process in (ours, other):
            assert process.stdout is not None
            process.stdout.readline()
        found = processes.leftovers(tmp_path)
        assert [process.pid for process in found] == [ours.pid]
        processes.stop(found)
        assert processes.leftovers(tmp_path) == []
        assert other.poll() is None
        other.kill()


def test_memory_of_nothing() -> None:
    assert processes.memory_mb([]) == 0


def test_holder_is_this_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert processes.holder(server.getsockname()[1]).startswith("process ")

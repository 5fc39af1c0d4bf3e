"""Another user of the machine reads nothing of the stack; run as root, the tests become that user."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from local.account import account, take_over
from local.processes import find_leftovers
from promptsales.cli import report
from promptsales.secrets import Secrets
from promptsales.settings import Settings

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def as_nobody(*command: object) -> "subprocess.CompletedProcess[str]":
    words = [str(word) for word in command]
    return subprocess.run(
        words, user="nobody", group=65534, extra_groups=[], capture_output=True, text=True, check=False
    )


def readable_by_nobody(folder: Path) -> set[Path]:
    """Return what the user can read or list in a folder, as far as it gets."""
    return {Path(line) for line in as_nobody("find", folder, "-readable", "!", "-type", "l").stdout.splitlines()}


@only_root
@pytest.mark.parametrize("cluster", ["sources", "warehouse"])
def test_nobody_reads_no_cluster(stack: Settings, cluster: str) -> None:
    folder = stack.state / "data" / cluster
    copied = as_nobody("cat", folder / "global" / "pg_filenode.map")
    assert (copied.returncode, copied.stdout) == (1, "")
    assert "Permission denied" in copied.stderr
    assert (folder.owner(), folder.stat().st_mode & 0o777) == (account(), 0o700)
    servers = [process for process in find_leftovers(stack.state) if process.name() == "postgres"]
    assert {process.username() for process in servers} == {account()}


@only_root
def test_nobody_reads_nothing_of_the_state(stack: Settings) -> None:
    report.write()
    data = stack.state / "data"
    allowed = {data / f"{name}.{kind}" for name in ("sources", "warehouse") for kind in ("conf", "hba")}
    # listed by the owner: nobody can list these two folders, but could open what he knows the name of
    paths = (stack.state, *stack.state.iterdir(), *data.iterdir())
    allowed.add(stack.state / ".promptsales")  # a line that says what the folder is
    assert {readable for path in paths for readable in readable_by_nobody(path)} == allowed
    folders = [path for path in (stack.state / "data").iterdir() if path.is_dir()]
    assert [path.name for path in folders if path.stat().st_mode & 0o077] == []


@only_root
def test_an_old_cluster_of_nobody_changes_hands_and_its_links_do_not(tmp_path: Path) -> None:
    cluster, secret, linked = tmp_path / "cluster", tmp_path / "secret", tmp_path / "linked"
    (cluster / "base").mkdir(parents=True)
    (cluster / "base" / "1").touch()
    secret.touch()
    linked.touch()
    os.link(secret, cluster / "hard")
    (cluster / "soft").symlink_to(linked)
    for path in (cluster, cluster / "base", cluster / "base" / "1"):
        os.chown(path, 65534, 65534)
    take_over(cluster)
    take_over(cluster)
    assert {path.owner() for path in (cluster, cluster / "base", cluster / "base" / "1")} == {account()}
    assert (secret.owner(), linked.owner()) == ("root", "root")


def test_a_planted_link_gets_no_secret(tmp_path: Path) -> None:
    folder, theirs = tmp_path / "secrets", tmp_path / "theirs"
    folder.mkdir()
    for name in (f".redis.{os.getpid()}", "redis"):
        (folder / name).symlink_to(theirs)
    Secrets(folder).write("redis", "of ours")
    assert not theirs.exists()
    assert Secrets(folder).password("redis") == "of ours"


def test_no_process_that_holds_keys_leaves_its_memory(stack: Settings) -> None:
    limits = [
        line.split()[4:6]
        for process in find_leftovers(stack.state)
        for line in Path(f"/proc/{process.pid}/limits").read_text().splitlines()
        if line.startswith("Max core file size")
    ]
    assert len(limits) > 3
    assert {limit for pair in limits for limit in pair} <= {"0", "1"}


def test_nor_does_the_command_line() -> None:
    code = """
import resource, sys
from promptsales.cli.main import main
sys.argv = ["promptsales", "--version"]
try:
    main()
except SystemExit:
    print(*resource.getrlimit(resource.RLIMIT_CORE))
"""
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = "0 0" if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 else "1 1"
    assert started.stdout.splitlines()[-1] == expected

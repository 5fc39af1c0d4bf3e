"""Delete Airflow's task logs and metadata after two weeks, while the stack runs: Airflow keeps both for ever.

It runs beside Airflow's components, not as a DAG, because Airflow gives tasks no access to its metadata. It sleeps most
of the time, so it imports only the standard library.
"""

import contextlib
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

KEEP = timedelta(days=14)
EVERY = timedelta(days=1)
# in the state folder; `promptsales doctor` reads it too
STAMP = Path("data", "airflow", ".cleaned")
# how often it looks whether the last cleanup is a day ago, and tries one that failed again
_LOOK_S = 3600
# every table that grows. Not `dag`: a DAG that was not parsed for two weeks, because the stack was down, would be
# forgotten with its switch, and would come back paused
TABLES = (
    "asset_event", "callback", "dag_run", "dag_version", "deadline", "import_error", "job", "log", "revoked_token",
    "task_instance", "task_instance_history", "task_reschedule", "trigger", "xcom",
)  # fmt: skip


def is_due(stamp: Path, now: datetime) -> bool:
    """Return whether the last cleanup is a day ago; a new installation has nothing to delete on its first day."""
    if not stamp.exists():
        stamp.touch()
    return now.timestamp() - stamp.stat().st_mtime >= EVERY.total_seconds()


def delete_logs(folder: Path, before: datetime) -> int:
    """Delete the files and empty folders that were last changed before an instant, and return how many files."""
    deleted = 0
    # a folder comes after what is in it
    for path in sorted(folder.rglob("*"), reverse=True):
        # a task may write into a folder, or another cleanup delete a file, in between
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime >= before.timestamp():
                continue
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                deleted += 1
    return deleted


def delete_metadata(before: datetime) -> bool:
    """Delete finished runs, their results and events from before an instant; return whether that succeeded."""
    command = [sys.executable, "-m", "airflow", "db", "clean", "--yes", "--skip-archive", "--tables", ",".join(TABLES)]
    result = subprocess.run([*command, "--clean-before-timestamp", before.isoformat()], check=False)
    return result.returncode == 0


def clean(state: Path, before: datetime) -> bool:
    """Delete what is older than an instant from logs and metadata; return whether everything was deleted."""
    logs = delete_logs(state / "logs" / "airflow", before)
    is_clean = delete_metadata(before)
    print(f"older than {before:%Y-%m-%d %H:%M}Z: {logs} logs deleted; metadata {'deleted' if is_clean else 'left'}")
    return is_clean


def main() -> None:
    """Clean once a day, for ever."""
    os.nice(10)
    state = Path(os.environ["PROMPTSALES_STATE"])
    stamp = state / STAMP
    while True:
        now = datetime.now(UTC)
        if is_due(stamp, now) and clean(state, now - KEEP):
            stamp.touch()
        sys.stdout.flush()
        time.sleep(_LOOK_S)


if __name__ == "__main__":
    main()

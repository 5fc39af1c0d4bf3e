"""Airflow's old logs are deleted while the stack runs."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.airflow import AirflowService, create_secrets
from local.airflow_cleanup import KEEP, STAMP, delete_logs, is_due
from local.stack import SECRETS
from promptsales.monitoring.doctor import check_cleanup
from promptsales.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def put(path: Path, at: datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, (at.timestamp(), at.timestamp()))


def test_old_logs_go_and_their_empty_folders(tmp_path: Path) -> None:
    old, new = NOW - KEEP - timedelta(seconds=1), NOW - KEEP + timedelta(seconds=1)
    put(tmp_path / "dag_id=a" / "run_id=1" / "task_id=t" / "attempt=1.log", old)
    put(tmp_path / "dag_id=a" / "run_id=2" / "task_id=t" / "attempt=1.log", old)
    put(tmp_path / "dag_id=a" / "run_id=2" / "task_id=t" / "attempt=2.log", new)
    (tmp_path / "dag_id=a" / "latest").symlink_to(tmp_path / "gone")
    (tmp_path / "dag_id=b" / "run_id=3").mkdir(parents=True)
    os.utime(tmp_path / "dag_id=b" / "run_id=3", (old.timestamp(), old.timestamp()))
    assert delete_logs(tmp_path, NOW - KEEP) == 2
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir()) == [
        "dag_id=a/latest",
        "dag_id=a/run_id=2/task_id=t/attempt=2.log",
    ]
    assert not (tmp_path / "dag_id=b" / "run_id=3").exists()
    # a folder that has just lost its last file goes with a later cleanup
    assert delete_logs(tmp_path, datetime.now(UTC) + timedelta(minutes=1)) == 2
    assert list(tmp_path.iterdir()) == []


def test_it_is_due_a_day_after_the_last_one(tmp_path: Path) -> None:
    stamp = tmp_path / ".cleaned"
    assert not is_due(stamp, datetime.now(UTC))
    os.utime(stamp, (NOW.timestamp(), NOW.timestamp()))
    assert not is_due(stamp, NOW + timedelta(hours=23, minutes=59))
    assert is_due(stamp, NOW + timedelta(days=1))


def test_doctor_reports_a_cleanup_that_no_longer_happens(tmp_path: Path) -> None:
    settings, stamp = Settings(state=tmp_path), tmp_path / STAMP
    assert list(check_cleanup(settings)) == []
    stamp.parent.mkdir(parents=True)
    for days, found in (
        (2.9, []),
        (4, ["its old logs and metadata were last deleted 4 days ago, which should happen daily"]),
    ):
        put(stamp, datetime.now(UTC) - timedelta(days=days))
        assert [finding.what for finding in check_cleanup(settings)] == found


def test_it_runs_beside_airflow(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path)
    for name in SECRETS:
        settings.secrets.create(name)
    create_secrets(settings)
    (program,) = (program for program in AirflowService(settings).programs() if program.name == "airflow-cleanup")
    assert program.command[1:] == ["-m", "local.airflow_cleanup"]
    assert program.environment["PROMPTSALES_STATE"] == str(tmp_path)

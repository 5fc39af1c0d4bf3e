"""Airflow's home page explains the component that is not started."""

import subprocess
import sys
from pathlib import Path

from local.airflow import AirflowService
from local.airflow_home import TRIGGERER
from promptsales.settings import ROOT, Settings

SHOWN = """
from airflow import settings
from airflow.api_fastapi.core_api.routes.ui.config import DASHBOARD_UIALERTS, UIAlert
assert DASHBOARD_UIALERTS is settings.DASHBOARD_UIALERTS
print(*[f"{alert.category}: {alert.text}" for alert in DASHBOARD_UIALERTS if isinstance(alert, UIAlert)], sep="\\n")
"""


def test_the_triggerer_is_explained_on_the_home_page(tmp_path: Path) -> None:
    state = Settings(state=tmp_path)
    for name in (
        "airflow",
        "airflow_admin",
        "airflow_editor",
        "airflow_viewer",
        "airflow_fernet",
        "airflow_api_secret",
        "airflow_jwt",
    ):
        state.secrets.create(name)
    service = AirflowService(state)
    (path, text) = next((path, text) for path, text in service.files().items() if path.suffix == ".py")
    assert path == service.data / "config" / "airflow_local_settings.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    result = subprocess.run(
        [sys.executable, "-c", SHOWN], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"AIRFLOW_HOME": str(service.data), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert (result.stdout.splitlines()[-1:], result.returncode) == ([f"info: {TRIGGERER}"], 0), result.stderr

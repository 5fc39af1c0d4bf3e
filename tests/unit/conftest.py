"""Airflow needs a home before its first import; here it is an empty folder, and no database is created."""

import atexit
import os
import tempfile
from pathlib import Path

import pytest

_home = tempfile.TemporaryDirectory(prefix="promptsales-airflow-")
atexit.register(_home.cleanup)

os.environ.update(
    AIRFLOW_HOME=_home.name,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_home.name}/airflow.db",
)


@pytest.fixture(scope="session")
def airflow_home() -> Path:
    """Return Airflow's home."""
    return Path(_home.name)

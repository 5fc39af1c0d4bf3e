"""Airflow wants a home before it is imported the first time; here it has an empty one, and no database is made."""

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
    """Where Airflow thinks it lives."""
    return Path(_home.name)

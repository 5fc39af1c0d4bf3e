"""Superset's settings. `local.superset` writes the file of addresses and secrets that PROMPTSALES_BI names."""

import json
import os
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

_values: dict[str, str] = json.loads(Path(os.environ["PROMPTSALES_BI"]).read_text(encoding="utf-8"))

SECRET_KEY = _values["secret_key"]
SQLALCHEMY_DATABASE_URI = _values["metadata"]
SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"require_auth": "scram-sha-256"}}
# a figure on a dashboard is never older than the mart it is read from
CACHE_CONFIG = DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
# small things that change with the dashboards only; without this, they are kept in the database
FILTER_STATE_CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 86400}
EXPLORE_FORM_DATA_CACHE_CONFIG = {
    "CACHE_TYPE": "SimpleCache",
    "CACHE_DEFAULT_TIMEOUT": 86400,
}
RATELIMIT_STORAGE_URI = "memory://"
# a chart of the newest day asks for that day in a sub-query; the reader sees marts only, whatever the query
FEATURE_FLAGS = {"ALLOW_ADHOC_SUBQUERY": True}
# nothing is fetched from other hosts
TALISMAN_ENABLED = True
FAB_ADD_SECURITY_API = True


def DB_CONNECTION_MUTATOR(
    uri: URL, params: dict[str, Any], username: str, security_manager: object, source: object
) -> tuple[URL, dict[str, Any]]:
    """Return the address of the warehouse's reader: neither it nor its password is in Superset's database."""
    return make_url(_values["warehouse"]), params

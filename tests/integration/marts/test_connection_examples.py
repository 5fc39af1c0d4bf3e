"""The examples of docs/how-to/connect-a-bi-tool.md run as they stand."""

import re
from typing import Any

import pyodbc
import pytest
from psycopg.conninfo import conninfo_to_dict

from promptsales.settings import ROOT, Settings
from promptsales.specs.mart import catalogue

PAGE = ROOT / "docs" / "how-to" / "connect-a-bi-tool.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
ODBC_DRIVER = "PostgreSQL Unicode"


@pytest.mark.parametrize("code", EXAMPLES, ids=["sqlalchemy_and_pandas", "parts", "odbc"])
def test_an_example(stack: Settings, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("PROMPTSALES_BI", stack.address("bi"))
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - our own page
    if "spend" in found:
        assert list(found["spend"].columns) == ["date_day", "currency_code", "spend"]
        assert isinstance(found["stale"], list)
        found["engine"].dispose()
    elif "odbc" in found:
        reader = conninfo_to_dict(stack.address("bi"))
        assert dict(pair.split("=", 1) for pair in found["odbc"].split(";")) == {
            "Driver": "{PostgreSQL Unicode}",
            "Servername": reader["host"],
            "Port": reader["port"],
            "Database": reader["dbname"],
            "UID": reader["user"],
            "PWD": reader["password"],
        }
    else:
        assert found["tables"][0] == len(catalogue())


@pytest.mark.skipif(
    ODBC_DRIVER not in pyodbc.drivers(), reason=f"no ODBC driver {ODBC_DRIVER} (apt-get install odbc-postgresql)"
)
def test_the_odbc_string_opens_a_connection(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTSALES_BI", stack.address("bi"))
    names: dict[str, Any] = {}
    exec(EXAMPLES[-1], names)  # noqa: S102 - our own page
    connection = pyodbc.connect(names["odbc"])
    row = connection.execute(
        "select current_user, count(*) from information_schema.tables where table_schema = 'marts'"
    ).fetchone()
    connection.close()
    assert row is not None
    assert tuple(row) == ("bi", len(catalogue()))

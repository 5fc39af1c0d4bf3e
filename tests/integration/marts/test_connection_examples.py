"""The examples of docs/how-to/connect-a-bi-tool.md run as they stand."""

import re
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from promptsales.settings import ROOT, Settings
from promptsales.specs.mart import catalogue

PAGE = ROOT / "docs" / "how-to" / "connect-a-bi-tool.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


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

"""Each mart built from a few rows equals a result that can be checked by hand."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from promptsales.specs.mart import catalogue, select, tables
from tests.integration.marts.conftest import Build
from tests.support.core_rows import put, put_versions, uid

KNOWN = Path(__file__).parent / "known"


def test_every_mart_has_a_known_answer() -> None:
    assert tables().keys() <= {path.stem for path in KNOWN.glob("*.yml")}


@pytest.mark.parametrize("name", sorted(path.stem for path in KNOWN.glob("*.yml")))
def test_known_answer(name: str, admin: psycopg.Connection, run: Build) -> None:
    case: dict[str, Any] = yaml.load((KNOWN / f"{name}.yml").read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 -- all is text
    expected = case.pop("expected")
    for table, rows in case.items():
        put(admin, table, rows)
    for table in {table for table in case if not table.endswith("_history")} | {"core.campaigns"}:
        if admin.execute("select to_regclass(%s)", [f"{table}_history"]).fetchone() != (None,):
            put_versions(admin, table)
    spec = catalogue()[name]
    run(*select(f"+{name}" if spec.kind == "table" else " ".join(f"+{upstream}" for upstream in spec.upstream)))
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in spec.column_names)
    rows = admin.execute(sql.SQL("select {} from {}").format(columns, sql.Identifier("marts", name))).fetchall()
    assert sorted(rows, key=str) == sorted((_row(row, spec) for row in expected), key=str)


def _row(row: list[str], spec: Any) -> tuple[Any, ...]:
    return tuple(
        None if value == "null" else uid(value) if column.type == "uuid" else value
        for value, column in zip(row, spec.columns, strict=True)
    )

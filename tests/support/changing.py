"""Change rows of core with the statements of a load or of the stream, and build marts without Spark."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from promptsales.load import merge
from promptsales.marts.plan import BuildRequest, plan
from promptsales.marts.publish import publish
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import Mart, tables
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.stream import statements
from promptsales.stream.envelope import PREFIX

EXPECTED = Path(__file__).parents[1] / "integration" / "marts" / "expected"
Row = Mapping[str, Any]

# later than anything in core
_versions = count(1_000_000)


def change(warehouse: psycopg.Connection, table: str, key: Any, at: str, **values: Any) -> None:
    """Load or stream one row with other values, changed at the source at that time.

    A key that core does not have makes a new row; ``is_deleted`` deletes a streamed row.
    """
    contract = contract_of(table)
    query = sql.SQL("select * from core.{} where {} = %s").format(sql.Identifier(table), sql.Identifier(contract.key))
    with warehouse.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query, [key]).fetchone() or {contract.key: key, "created_at": at}
    row = {**row, "updated_at": at, **values}
    if isinstance(contract, StreamContract):
        _stream(warehouse, contract, row, at)
    else:
        _load(warehouse, contract, row)


def contract_of(table: str) -> Contract | StreamContract:
    """Return the contract of a core table, loaded or streamed."""
    return contracts().get(table) or stream_contracts()[table]


def _load(warehouse: psycopg.Connection, contract: Contract, row: Row) -> None:
    staging, names, extraction = sql.Identifier("staging", contract.staging), contract.column_names, next(_versions)
    warehouse.execute(sql.SQL("truncate {}").format(staging))
    insert = sql.SQL("insert into {} ({}, _load_id) values ({})").format(
        staging,
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join([sql.Placeholder()] * (len(names) + 1)),
    )
    warehouse.execute(insert, [*(row.get(name) for name in names), extraction])
    warehouse.execute(merge.upsert(contract), {"feed": contract.table, "extraction": extraction})


def _stream(warehouse: psycopg.Connection, contract: StreamContract, row: Row, at: str) -> None:
    event = {column.origin: row.get(column.name) for column in contract.columns}
    own = {"is_deleted": row.get("is_deleted", False), "committed_at": at, "src_epoch": 1}
    number = next(_versions)
    own |= {"src_commit": number, "src_lsn": number, "src_is_snapshot": False}
    rows = json.dumps([{**event, **{PREFIX + name: value for name, value in own.items()}}], default=str)
    versions = statements.history(contract.table) if contract.history else ()
    for statement in (statements.upsert(contract.table), *versions):
        warehouse.execute(statement, {"rows": rows, "minutes_days": 3})


def build(
    warehouse: psycopg.Connection, settings: Settings, as_of: datetime, names: Iterable[str] | None = None
) -> dict[str, str]:
    """Build the planned days of the marts that are due (all, or those named) with their independent statements.

    Returns the rows, by mart, in which it differs from a full build.
    """
    selected = set(names or tables())
    request = BuildRequest(as_of, "test")
    differences = {
        name: _build(warehouse, settings, mart, request) for name, mart in tables().items() if name in selected
    }
    return {name: rows for name, rows in differences.items() if rows}


def _build(warehouse: psycopg.Connection, settings: Settings, mart: Mart, request: BuildRequest) -> str:
    mart_plan = plan(mart, warehouse, settings, request)
    _want(warehouse, mart.mart, mart_plan.span.as_of_day, settings.reporting_timezone)
    if mart_plan.is_due:
        staging = sql.Identifier("staging", mart.staging)
        warehouse.execute(sql.SQL("truncate {}").format(staging))
        planned = sql.SQL(
            "insert into {} select w.* from wanted w where exists ("
            "select from unnest(%s::date[], %s::date[]) r(a, b) where w.{period} >= r.a and w.{period} < r.b)"
        ).format(staging, period=sql.Identifier(mart.period or ""))
        warehouse.execute(planned, [list(days) for days in zip(*mart_plan.span.ranges, strict=True)])
        publish(mart, warehouse, mart_plan, request, [], None, datetime.now(UTC))
    query = sql.SQL(
        "select 'should be gone: ' || t::text from (table {mart} except all table wanted) t union all "
        "select 'is missing: ' || t::text from (table wanted except all table {mart}) t order by 1"
    ).format(mart=sql.Identifier("marts", mart.mart))
    rows = warehouse.execute(query).fetchall()
    warehouse.execute("drop table wanted")
    return "\n".join(row[0] for row in rows)


def _want(warehouse: psycopg.Connection, name: str, as_of_day: date, zone: str) -> None:
    """Create the temporary table ``wanted`` with the result of the mart's independent statement."""
    statement = (EXPECTED / f"{name}.sql").read_text(encoding="utf-8").replace("'UTC'", f"'{zone}'")
    warehouse.execute(sql.SQL("create temp table wanted (like {})").format(sql.Identifier("marts", name)))
    warehouse.execute(b"insert into wanted " + statement.encode(), {"as_of_day": as_of_day})

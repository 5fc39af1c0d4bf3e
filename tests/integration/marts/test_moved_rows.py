"""Any value that a row of core refers to may change: marts built by touched days then equal a full build, cell by cell.

The test changes every column that a mart reads on some rows, one at a time, with the statements of the load or of the
stream. It builds the planned days of each mart with the mart's independent statement, which is fast.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import Rollback, sql

from promptsales.marts import plan
from promptsales.marts.plan import core_inputs
from promptsales.settings import Settings
from promptsales.specs.mart import Mart, tables
from promptsales.specs.stream import stream_contracts
from tests.integration.marts.conftest import AS_OF, Build
from tests.integration.marts.test_marts import differing, fill
from tests.integration.provision.conftest import Connect
from tests.support.changing import build, change, contract_of
from tests.support.systems import empty_tables

# after the last complete day, and long before it: an event or a load that arrived late
ON_TIME, LATE = "2024-03-11T04:00:00Z", "2024-02-21T12:00:00Z"
HERE = Path(__file__).parent
JOBS = HERE.parents[2] / "spark_jobs"
# rows per column that are changed
SAMPLE = 1

MOVES: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "moves.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def world(connect: Connect, stack: Settings) -> Iterator[psycopg.Connection]:
    """Build all marts of a warehouse; changes of a test are rolled back."""
    with connect("postgres") as warehouse:
        empty_tables(warehouse, "marts")
        fill(warehouse)
        assert build(warehouse, stack, AS_OF) == {}
        yield warehouse


@pytest.fixture
def moved(world: psycopg.Connection, stack: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Return a function that changes a row, builds by touched days, and returns the differences from a full build."""
    monkeypatch.setattr(plan, "GAP", timedelta(0))
    monkeypatch.setattr(plan, "MOST_RANGES", 10_000)

    def moved(table: str, key: Any, at: str, values: dict[str, Any], zone: str = "UTC") -> dict[str, str]:
        differences: dict[str, str] = {}
        with world.transaction() as transaction:
            change(world, table, key, at, **values)
            differences = build(world, in_zone(stack, zone), AS_OF, readers(table))
            raise Rollback(transaction)
        return differences

    return moved


def in_zone(stack: Settings, zone: str) -> Settings:
    return stack.model_copy(update={"reporting_timezone": zone})


def rows_of(warehouse: psycopg.Connection, name: str, most: int) -> list[tuple[str, Any, str, dict[str, Any]]]:
    """Return some rows of a move: the table, the key, the time of the change and the new values."""
    move = MOVES[name]
    query = sql.SQL("select * from ({}) x(key, more) order by md5(key::text || more::text) limit {}")
    rows = warehouse.execute(query.format(sql.SQL(move["rows"]), most))
    return [(move["table"], key, LATE if move["is_late"] else ON_TIME, values) for key, values in rows]


def readers(table: str) -> list[str]:
    """Return the marts that are built from a core table, directly or not."""
    return [name for name, mart in tables().items() if f"core.{table}" in core_inputs(mart)]


def text_of(mart: Mart) -> str:
    """Return the text of the files that build a mart."""
    files = [JOBS / f"{mart.mart}.py", *mart.folder.glob("[a-z]*.sql")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.stem not in ("table", "periods"))


def columns() -> list[tuple[str, str]]:
    """Return every column of core that a mart reads."""
    names = dict.fromkeys(name.removeprefix("core.") for mart in tables().values() for name in core_inputs(mart))
    read = []
    for table in names:
        contract = contract_of(table)
        text = "\n".join(text_of(mart) for mart in tables().values() if f"core.{table}" in mart.inputs)
        read += [
            (table, column.name) for column in contract.columns if column.name != contract.key and column.name in text
        ]
    return [(table, column) for table, column in read if column != "updated_at"]


@pytest.mark.parametrize("name", MOVES)
def test_a_row_that_moves(name: str, world: psycopg.Connection, moved: Any) -> None:
    moves = rows_of(world, name, 3)
    assert moves, "the world has no such row"
    assert [moved(*move) for move in moves] == [{}] * len(moves)


@pytest.mark.parametrize(("zone", "part"), [("Asia/Kolkata", 0), ("America/St_Johns", 1)])
def test_rows_that_move_by_the_days_of_a_zone(
    zone: str, part: int, world: psycopg.Connection, stack: Settings, moved: Any
) -> None:
    """Touched days are days in UTC; the days of the zone begin earlier or later."""
    with world.transaction() as transaction:
        assert build(world, in_zone(stack, zone), AS_OF) == {}
        for name in list(MOVES)[part::2]:
            for move in rows_of(world, name, 1):
                assert (name, moved(*move, zone)) == (name, {})
        raise Rollback(transaction)


@pytest.mark.parametrize(("table", "column"), columns())
def test_a_column_that_changes(table: str, column: str, world: psycopg.Connection, moved: Any) -> None:
    query = sql.SQL("""
        select a.{key}, b.{column} from core.{table} a, core.{table} b where a.{column} <> b.{column}
        order by md5(a.{key}::text || b.{key}::text) limit %s
    """).format(key=sql.Identifier(contract_of(table).key), column=sql.Identifier(column), table=sql.Identifier(table))
    for key, value in world.execute(query, [SAMPLE]).fetchall():
        assert moved(table, key, ON_TIME, {column: value}) == {}


@pytest.mark.parametrize("table", dict.fromkeys(table for table, _ in columns()))
def test_a_row_that_is_deleted(table: str, world: psycopg.Connection, moved: Any) -> None:
    query = sql.SQL("select {key} from core.{table} order by md5({key}::text) limit %s").format(
        key=sql.Identifier(contract_of(table).key), table=sql.Identifier(table)
    )
    gone: dict[str, Any] = {"is_deleted": True} if table in stream_contracts() else {"deleted_at": ON_TIME}
    for (key,) in world.execute(query, [3 * SAMPLE]).fetchall():
        assert moved(table, key, ON_TIME, gone) == {}


def test_all_of_them_with_spark(admin: psycopg.Connection, run: Build) -> None:
    fill(admin)
    run()
    for name in MOVES:
        for table, key, at, values in rows_of(admin, name, 1):
            change(admin, table, key, at, **values)
    run()
    assert differing(admin) == {}

"""Small files of our own in the shapes of public data sets, and the marts built from them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from promptsales.specs.mart import catalogue
from tests.integration.marts.conftest import run, spark
from tests.integration.provision.conftest import Connect
from tests.support.own_warehouse import admin, connect

__all__ = ["admin", "connect", "run", "spark"]

FILES = Path(__file__).parent

Show = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def loader(connect: Connect, admin: psycopg.Connection) -> psycopg.Connection:
    """Connect to the empty warehouse as the loader."""
    return connect("warehouse_loader")


@pytest.fixture
def show(admin: psycopg.Connection) -> Show:
    """Return every row of a mart as text, in the order of its first columns."""

    def show(name: str) -> list[tuple[Any, ...]]:
        columns = [sql.SQL("{}::text").format(sql.Identifier("m", column)) for column in catalogue()[name].column_names]
        query = sql.SQL("select {} from marts.{} m").format(sql.SQL(", ").join(columns), sql.Identifier(name))
        return sorted(admin.execute(query).fetchall(), key=lambda row: tuple(map(str, row)))

    return show

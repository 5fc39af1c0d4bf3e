"""Tests empty tables while the services of the stack read them."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import sql

from promptsales.settings import Settings
from tests.support.systems import truncate

TABLES = [sql.Identifier("ops", "touched"), sql.Identifier("ops", "truncation")]


def test_a_reader_in_another_order_is_waited_for(stack: Settings, admin: psycopg.Connection) -> None:
    with psycopg.connect(stack.address("warehouse_admin")) as reader, ThreadPoolExecutor(1) as pool:
        read(reader, TABLES[1])
        emptying = pool.submit(truncate, admin, TABLES)
        time.sleep(0.5)
        assert not emptying.done()
        read(reader, TABLES[0])
        reader.rollback()
        emptying.result(30)


def read(reader: psycopg.Connection, table: sql.Identifier) -> None:
    reader.execute(sql.SQL("select from {}").format(table))

"""Spark's sessions have the same settings as ours, whatever the loader's role sets."""

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from promptsales.connections import connected
from promptsales.marts.filling import properties_of, snapshot_of, url_of
from promptsales.marts.span import Span
from promptsales.settings import Settings
from spark_jobs.source import WarehouseReader

SETTINGS = {
    "DateStyle": ("SQL, DMY", "ISO, MDY"),
    "client_encoding": ("LATIN1", "UTF8"),
    "extra_float_digits": ("-15", "1"),
    "IntervalStyle": ("iso_8601", "postgres"),
    "bytea_output": ("escape", "hex"),
    "client_connection_check_interval": ("0", "2s"),
    "default_transaction_read_only": ("on", "off"),
    "row_security": ("on", "off"),
    "statement_timeout": ("1ms", "4h"),
    "transaction_timeout": ("1ms", "0"),
}


def test_spark_reads_in_sessions_like_ours(
    admin: psycopg.Connection, stack: Settings, spark: Any, tmp_path: Path
) -> None:
    whose = sql.SQL("alter role warehouse_loader in database {} ").format(sql.Identifier(admin.info.dbname))
    names = ", ".join(f"'{name}'" for name in SETTINGS)
    query = f"select name, current_setting(name) as value from unnest(array[{names}]) as name"  # noqa: S608
    (tmp_path / "shown.sql").write_text(query)
    try:
        for name, (value, _) in SETTINGS.items():
            quoted = sql.SQL(value) if name == "DateStyle" else sql.Literal(value)
            admin.execute(whose + sql.SQL("set {} = {}").format(sql.Identifier(name), quoted))
        with (
            connected(stack, "warehouse", admin.info.dbname) as warehouse,
            snapshot_of(stack, warehouse) as (snapshot, _),
        ):
            day = date(2024, 1, 1)
            span = Span(((day, day),), day, "UTC", 3)
            properties = properties_of(stack, warehouse)
            source = WarehouseReader(spark, url_of(warehouse), properties, snapshot, span, 2, tmp_path)
            shown = source.query("shown").collect()
    finally:
        admin.execute(whose + sql.SQL("reset all"))
    assert {row["name"]: row["value"] for row in shown} == {name: ours for name, (_, ours) in SETTINGS.items()}

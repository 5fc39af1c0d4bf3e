"""A contract may name a type of an extension, which lies in ``public``, as everybody does."""

import psycopg
import pytest

from promptsales.connections import connected
from promptsales.provision import tables
from promptsales.settings import Settings
from promptsales.specs.feed import contracts


def test_a_core_table_and_its_staging_table_with_a_type_in_public(
    stack: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = contracts()["accounts"]
    columns = tuple(
        column.model_copy(update={"type": "citext"}) if column.name == "name" else column for column in feed.columns
    )
    monkeypatch.setattr(tables, "contracts", lambda: {"accounts": feed.model_copy(update={"columns": columns})})
    with connected(stack, "warehouse_admin") as admin, admin.transaction(force_rollback=True):
        # the local server has no extensions
        admin.execute("create domain public.citext as text")
        admin.execute("alter table core.accounts alter column name type public.citext")
        changes = [change.what for change in tables.provision_tables(admin)]
        assert f"staging.{feed.staging} recreated" in changes
        assert _type_of_name(admin, f"staging.{feed.staging}") == "public.citext"
        assert tables.provision_tables(admin) == []
        assert admin.execute("show search_path").fetchone() == ("pg_catalog,pg_temp",)


def _type_of_name(admin: psycopg.Connection, table: str) -> str:
    query = "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s::regclass and attname = %s"
    (kind,) = admin.execute(query, [table, "name"]).fetchone() or ("",)
    return str(kind)

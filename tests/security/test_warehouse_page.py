"""The login of the Warehouse page reads the pipeline's books, no row of the business, and writes nothing."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.settings import Settings
from promptsales.specs.cluster import read_cluster_spec


@pytest.fixture
def page(stack: Settings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stack.address("warehouse_page"), autocommit=True) as connection:
        yield connection


def test_it_reads_the_listed_relations_only(page: psycopg.Connection) -> None:
    query = """
        select n.nspname || '.' || c.relname
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'v', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
          and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
    """
    listed = set(read_cluster_spec("warehouse").roles["warehouse_page"].relations)
    assert {name for (name,) in page.execute(query)} == listed
    assert not {"ops.pii_bridge", "ops.suppression", "ops.dead_letter"} & listed
    assert {name.partition(".")[0] for name in listed} == {"ops", "realtime"}


@pytest.mark.parametrize(
    "attack",
    [
        "select * from core.leads",
        "select message_value from ops.dead_letter",
        "select * from ops.pii_bridge",
        "update ops.quarantine set is_waived = true",
        "delete from ops.manual_action",
        "insert into ops.manual_action (action, feed, target, acted_by) values ('drop', 'x', 'x', 'x')",
        "create temporary table t (a int)",
        "set role warehouse_loader",
    ],
)
def test_it_changes_and_reads_nothing_else(page: psycopg.Connection, attack: str) -> None:
    page.execute("set default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        page.execute(attack.encode())

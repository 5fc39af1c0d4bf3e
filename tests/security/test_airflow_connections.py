"""Whoever can read Airflow's connections reads no personal data of the CRM, no pads, and copies no cluster."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from promptsales.airflow_client.models import AirflowConnection
from promptsales.airflow_client.registration import connections
from promptsales.errors import ConfigError
from promptsales.orchestration.platform import provision_collections, provision_database
from promptsales.settings import Settings, settings
from promptsales.specs.stream import stream_contracts

# what a person can be found by, in the CRM and among the users
CLEAR = {
    "promptcrm": (
        "select first_name, last_name from crm.leads",
        "select email from crm.leads",
        "select phone from crm.contacts",
        "copy crm.contacts (email) to stdout",
        "select pg_read_file('postgresql.conf')",
        "set role etl_owner",
    ),
    "promptsales": (
        "select email from promptsales.users",
        "select password_hash from promptsales.users",
        "set role etl_owner",
    ),
    "warehouse": ("set role warehouse_owner", "select rolpassword from pg_authid"),
}
ANYWHERE = (
    "select inner_pad from etl.pii_pad",
    "copy etl.pii_pad to stdout",
    "set role postgres",
    "create role intruder superuser",
    "alter role current_user replication",
    "select pg_create_physical_replication_slot('intruder')",
    "select pg_create_logical_replication_slot('intruder', 'pgoutput')",
)
DENIED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)


def registered(stack: Settings) -> list[AirflowConnection]:
    """Return what `promptsales register` gives to Airflow unless provisioning through Airflow was chosen."""
    return connections(stack.model_copy(update={"provision_in_airflow": False}))


def parameters(connection: AirflowConnection) -> dict[str, Any]:
    return {
        "host": connection.host,
        "port": connection.port,
        "user": connection.login,
        "password": connection.password,
        "dbname": connection.schema_,
    }


def of_postgres(stack: Settings) -> Iterator[AirflowConnection]:
    return (connection for connection in registered(stack) if connection.conn_type == "postgres")


def test_no_administrator_and_no_replication_is_registered(stack: Settings) -> None:
    assert {(connection.connection_id, connection.login) for connection in registered(stack)} == {
        ("promptcrm", "etl_reader"),
        ("promptsales", "etl_reader"),
        ("promptads_audit", "etl_audit"),
        ("promptcrm_audit", "etl_audit"),
        ("warehouse", "warehouse_loader"),
        ("warehouse_page", "warehouse_page"),
        ("promptcontent", "promptcontent_etl"),
        ("kafka_content", "promptsales_content"),
        ("kafka_stream", "promptsales_stream"),
        ("redis", None),
    }


def test_no_connection_reads_clear_text_or_pads(stack: Settings) -> None:
    tried = 0
    for connection in of_postgres(stack):
        database = str(connection.schema_)
        with psycopg.connect(**parameters(connection), autocommit=True) as session:
            session.execute("set default_transaction_read_only = off")
            for statement in (*CLEAR.get(database, ()), *ANYWHERE):
                with pytest.raises(DENIED):
                    session.execute(statement.encode())
                tried += 1
    assert tried == 2 * (6 + 7) + 2 * (3 + 7) + 2 * (2 + 7)


@pytest.mark.parametrize("kind", ["true", "database"])
def test_no_connection_starts_replication(stack: Settings, kind: str) -> None:
    for connection in of_postgres(stack):
        with pytest.raises(psycopg.OperationalError, match=r"replication|WAL sender"):
            psycopg.connect(**parameters(connection), replication=kind)


def test_the_connection_to_mongodb_only_reads_content(stack: Settings) -> None:
    (connection,) = (each for each in registered(stack) if each.conn_type == "mongo")
    address = f"mongodb://{connection.login}:{connection.password}@{connection.host}/?directConnection=true"
    with MongoClient[dict[str, Any]](address, authSource="admin") as client:
        for attack in (
            lambda: client.admin.command("usersInfo", 1),
            lambda: client.promptcontent.prompt_history.insert_one({}),
            lambda: client.promptcontent.command("collMod", "prompt_history", validator={}),
            lambda: client.local["oplog.rs"].find_one(),
        ):
            with pytest.raises(OperationFailure) as refused:
                attack()
            assert refused.value.code == 13  # Unauthorized


def test_the_audit_reads_the_columns_of_the_stream_only(stack: Settings) -> None:
    query = """
        select n.nspname || '.' || c.relname, array_agg(a.attname::text order by a.attname)
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname not in ('pg_catalog', 'information_schema') and a.attnum > 0 and not a.attisdropped
          and c.relkind in ('r', 'v', 'p') and has_schema_privilege(n.oid, 'usage')
          and has_column_privilege(c.oid, a.attnum, 'select')
        group by 1
    """
    readable: dict[str, list[str]] = {}
    for connection in of_postgres(stack):
        if connection.login == "etl_audit":
            with psycopg.connect(**parameters(connection)) as session:
                readable |= dict(session.execute(query).fetchall())
    assert readable == {contract.source.relation: sorted(contract.origins) for contract in stream_contracts().values()}


def test_a_dag_that_would_need_an_administrator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTSALES_PROVISION_IN_AIRFLOW", "false")
    settings.cache_clear()
    try:
        for task, arguments in (
            (provision_database, ("warehouse", "warehouse_admin")),
            (provision_collections, ("x",)),
        ):
            with pytest.raises(
                ConfigError, match="run `promptsales provision`, or set PROMPTSALES_PROVISION_IN_AIRFLOW"
            ):
                task.function(*arguments)
    finally:
        settings.cache_clear()

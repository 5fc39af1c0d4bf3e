"""No function that an application planted in its database runs as the administrator."""

from collections.abc import Iterator
from typing import Literal

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from local.postgres import Postgres
from promptsales.connections import connected
from promptsales.provision import provision_database
from promptsales.settings import Settings
from tests.integration.provision.conftest import KEY, Connect, database

# better matches of calls in our statements than PostgreSQL's own functions: literals are text before they are names
PLANTS = """
    create schema if not exists {schema};
    create function {schema}.obj_description(oid, text) returns text language plpgsql as $$
        begin
            execute 'alter role promptcrm_owner connection limit 77';
            return pg_catalog.obj_description($1, $2::name);
        end $$;
    create function {schema}.to_regclass(text) returns regclass language plpgsql as $$
        begin
            execute 'alter role promptcrm_owner connection limit 77';
            return pg_catalog.to_regclass($1);
        end $$;
"""


@pytest.fixture
def connect(stack: Settings) -> Iterator[Connect]:
    with database(stack, "promptcrm") as connect:
        yield connect


def took_over(admin: psycopg.Connection) -> bool:
    """Return whether a planted function ran as the administrator, and undo what it did."""
    limit = admin.execute("select rolconnlimit from pg_roles where rolname = 'promptcrm_owner'").fetchone()
    admin.execute("alter role promptcrm_owner connection limit -1")
    return limit != (-1,)


@pytest.mark.parametrize("schema", ["postgres", "public"])
@pytest.mark.parametrize("path", ["", '"$user",public', "postgres,public"])
def test_no_planted_function_runs(stack: Settings, connect: Connect, schema: str, path: str) -> None:
    admin = connect("postgres")
    # as servers of PostgreSQL 14 and older, and databases that came from one, have it
    admin.execute("grant create on schema public to public")
    connect("promptcrm_owner").execute(PLANTS.format(schema=schema).encode())
    address = stack.address("sources_admin")
    if path:
        address = make_conninfo(address, options=f"-c search_path={path}")
    mine = stack.model_copy(update={"dsn": {**stack.dsn, "sources_admin": address}})
    with connected(mine, "sources_admin", admin.info.dbname) as opened:
        provision_database(opened, "promptcrm", {1: KEY}, log_in=connect)
        provision_database(opened, "promptcrm", {1: KEY})
    assert not took_over(admin)


@pytest.mark.parametrize("name", ["sources", "warehouse"])
def test_the_local_stack_itself_connects_with_the_same_path(
    stack: Settings, name: Literal["sources", "warehouse"]
) -> None:
    with Postgres(stack, name).connect() as connection:
        assert connection.execute("show search_path").fetchone() == ("pg_catalog,pg_temp",)


def test_everybody_loses_the_right_to_create_in_public(stack: Settings, connect: Connect) -> None:
    admin = connect("postgres")
    admin.execute("grant create on schema public to public")
    with connected(stack, "sources_admin", admin.info.dbname) as opened:
        changes = [change.what for change in provision_database(opened, "promptcrm", {1: KEY}, log_in=connect)]
        assert [change for change in changes if "schema public" in change] == [
            "schema public: create revoked from public"
        ]
        assert provision_database(opened, "promptcrm", {1: KEY}) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema public"):
        connect("promptcrm_owner").execute("create table public.planted ()")


def test_a_right_that_cannot_be_revoked_is_reported(stack: Settings, connect: Connect) -> None:
    admin = connect("postgres")
    admin.execute("grant create on schema public to promptcrm_owner with grant option")
    connect("promptcrm_owner").execute("grant create on schema public to public")
    with connected(stack, "sources_admin", admin.info.dbname) as opened:
        changes = provision_database(opened, "promptcrm", {1: KEY}, log_in=connect)
    assert [(change.what.split(";")[0], change.is_warning) for change in changes if "schema public" in change.what] == [
        ("schema public: everybody may still create objects there", True)
    ]

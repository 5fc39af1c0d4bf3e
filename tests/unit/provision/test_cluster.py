"""Roles and databases: what exists, and the statements that follow."""

from typing import get_args

import pytest

from promptsales.provision.cluster import ExistingDatabase, ExistingRole, database_steps, role_steps
from promptsales.specs.cluster import Cluster, Database, Role, read_cluster_spec

READER = Role(description="reads", login=True, member_of=("readers",), settings={"statement_timeout": "60s"})
CRM = Database(connect=("reader",), create=("owner",))
GRANTS = frozenset({("reader", "CONNECT"), ("owner", "CREATE"), ("owner", "TEMPORARY")})


def statements(existing: ExistingRole | None) -> list[str]:
    return [step.statement.as_string() for step in role_steps("sources", "reader", READER, existing)]


def database_statements(existing: ExistingDatabase | None) -> list[str]:
    return [step.statement.as_string() for step in database_steps("sources", "crm", CRM, existing)]


def test_new_role() -> None:
    assert statements(None) == [
        'create role "reader" login noreplication',
        'grant "readers" to "reader"',
        'alter role "reader" set "statement_timeout" = \'60s\'',
    ]


def test_role_as_it_shall_be() -> None:
    assert statements(ExistingRole(True, False, None, ["readers"], {"statement_timeout": "60s"})) == []


def test_role_that_drifted() -> None:
    assert statements(ExistingRole(True, True, None, ["readers"], {"statement_timeout": "0"})) == [
        'alter role "reader" login noreplication',
        'alter role "reader" set "statement_timeout" = \'60s\'',
    ]


def test_new_database_is_closed_to_everybody() -> None:
    made, zone, closed, *grants = database_statements(None)
    assert made.startswith('create database "crm" owner "postgres" template template0')
    assert zone == "alter database \"crm\" set timezone = 'UTC'"
    assert closed == 'revoke all on database "crm" from public'
    assert grants == [
        'grant CREATE on database "crm" to "owner"',
        'grant TEMPORARY on database "crm" to "owner"',
        'grant CONNECT on database "crm" to "reader"',
    ]


def test_database_as_it_shall_be() -> None:
    assert database_statements(ExistingDatabase("UTC", GRANTS)) == []


def test_database_that_was_opened() -> None:
    opened = ExistingDatabase("UTC", GRANTS | {("public", "CONNECT")})
    assert database_statements(opened) == ['revoke all on database "crm" from public']


@pytest.mark.parametrize("cluster", get_args(Cluster))
def test_files_name_known_roles(cluster: Cluster) -> None:
    goal = read_cluster_spec(cluster)
    known = {*goal.roles, "postgres", "pg_read_all_stats"}
    for database in goal.databases.values():
        assert {database.owner, *database.connect, *database.create} <= known
    for role in goal.roles.values():
        assert set(role.member_of) <= known

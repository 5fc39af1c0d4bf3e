"""Roles and databases of a cluster: ``schemas/roles/<cluster>.yml`` compared with what the cluster has.

The comparison is pure: state in, steps out. So a dry run shows the very statements' effects and runs none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from pydantic import Field

from promptsales.documents import Document, read_document
from promptsales.errors import driver_errors
from promptsales.provision import passwords
from promptsales.provision.changes import Change
from promptsales.provision.migrations import LOCK
from promptsales.provision.servers import refuse_standby
from promptsales.provision.writers import is_utc
from promptsales.secrets import Secrets
from promptsales.settings import ROOT

Cluster = Literal["sources", "warehouse"]
Kind = Literal["tables", "views"]


class Role(Document):
    """A role as it shall be."""

    description: str
    login: bool = False
    replication: bool = False
    member_of: tuple[str, ...] = ()
    settings: dict[str, str] = Field(default={})
    reads: dict[str, tuple[Kind, ...]] = Field(default={}, description="what it may read, by schema of its database")


class Database(Document):
    """A database as it shall be: who owns it, connects to it, makes schemas and temporary tables in it."""

    owner: str = "postgres"
    connect: tuple[str, ...] = ()
    create: tuple[str, ...] = ()

    @property
    def grants(self) -> frozenset[tuple[str, str]]:
        """Role and privilege, as PostgreSQL lists them."""
        return frozenset(
            [(role, "CONNECT") for role in self.connect]
            + [(role, privilege) for role in self.create for privilege in ("CREATE", "TEMPORARY")]
        )


class Wanted(Document):
    """What a cluster shall have."""

    roles: dict[str, Role]
    databases: dict[str, Database] = Field(description="made empty; migrations fill them")


@dataclass(frozen=True)
class FoundRole:
    """A role as it is."""

    login: bool
    replication: bool
    password: str | None
    member_of: list[str]
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundDatabase:
    """A database as it is; grants are role and privilege, 'public' meaning everybody."""

    zone: str | None
    grants: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Step:
    """A change and the statement that makes it."""

    change: Change
    statement: sql.Composed


def wanted(cluster: Cluster) -> Wanted:
    """What the file of a cluster says.

    Raises:
        ConfigError: when it says something that cannot be.
    """
    return read_document(ROOT / "schemas" / "roles" / f"{cluster}.yml", Wanted)


def provision_cluster(
    connection: psycopg.Connection, cluster: Cluster, secrets: Secrets, dry_run: bool = False
) -> list[Change]:
    """Bring the roles and databases of a cluster to what its file says; makes missing passwords.

    Args:
        connection: an administrator's, to the database ``postgres``.
        cluster: which file.
        secrets: where the passwords are, or will be.
        dry_run: change nothing, tell what would be.

    Raises:
        ConfigError: when the server is a standby.
        TransientError, TerminalError: when PostgreSQL refuses.
    """
    goal = wanted(cluster)
    connection.autocommit = True  # a database cannot be made in a transaction
    with driver_errors(f"roles and databases of {cluster}"):
        refuse_standby(connection, f"cluster {cluster}")
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        try:
            roles = {name: FoundRole(*rest) for name, *rest in connection.execute(_read("roles"))}
            databases = {
                name: FoundDatabase(zone, frozenset((role, privilege) for role, privilege in grants))
                for name, zone, grants in connection.execute(_read("databases"))
            }
            steps = list(_steps(cluster, goal, roles, databases))
            stale = _stale_passwords(goal, roles, secrets)
            if not dry_run:
                for step in steps:
                    connection.execute(step.statement)
                for name in stale:
                    connection.execute(_password(connection, name, secrets.create(name)))
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [LOCK])
    set_anew = (Change(system=cluster, what=f"password of {name} set") for name in stale)
    return [*(step.change for step in steps), *set_anew]


def _steps(
    cluster: Cluster, goal: Wanted, roles: Mapping[str, FoundRole], databases: Mapping[str, FoundDatabase]
) -> Iterator[Step]:
    for name, role in goal.roles.items():
        yield from role_steps(cluster, name, role, roles.get(name))
    for name, database in goal.databases.items():
        yield from database_steps(cluster, name, database, databases.get(name))


def _stale_passwords(goal: Wanted, roles: Mapping[str, FoundRole], secrets: Secrets) -> list[str]:
    """The roles that log in with another password than the one that is kept for them, or with none."""
    return [
        name
        for name, role in goal.roles.items()
        if role.login
        and not (name in roles and secrets.has(name) and passwords.fits(roles[name].password, secrets.password(name)))
    ]


def _password(connection: psycopg.Connection, role: str, password: str) -> sql.Composed:
    verifier = passwords.verifier(connection, role, password)
    return sql.SQL("alter role {} password {}").format(sql.Identifier(role), verifier)


def role_steps(cluster: Cluster, name: str, role: Role, found: FoundRole | None) -> Iterator[Step]:
    """What brings one role to what it shall be, its password apart."""
    identifier = sql.Identifier(name)
    options = sql.SQL(
        f"{'login' if role.login else 'nologin'} {'replication' if role.replication else 'noreplication'}"
    )
    if found is None:
        yield _step(cluster, f"role {name} created", sql.SQL("create role {} {}").format(identifier, options))
        found = FoundRole(role.login, role.replication, None, [])
    if (found.login, found.replication) != (role.login, role.replication):
        statement = sql.SQL("alter role {} {}").format(identifier, options)
        yield _step(cluster, f"role {name}: {options.as_string()}", statement)
    for group in sorted(set(role.member_of) - set(found.member_of)):
        statement = sql.SQL("grant {} to {}").format(sql.Identifier(group), identifier)
        yield _step(cluster, f"role {name}: member of {group}", statement)
    for setting, value in role.settings.items():
        if found.settings.get(setting) != value:
            statement = sql.SQL("alter role {} set {} = {}").format(
                identifier, sql.Identifier(setting), sql.Literal(value)
            )
            yield _step(cluster, f"role {name}: {setting} = {value}", statement)


def database_steps(cluster: Cluster, name: str, database: Database, found: FoundDatabase | None) -> Iterator[Step]:
    """What brings one database to what it shall be."""
    identifier = sql.Identifier(name)
    if found is None:
        statement = sql.SQL(
            "create database {} owner {} template template0 "
            "encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8'"
        ).format(identifier, sql.Identifier(database.owner))
        yield _step(cluster, f"database {name} created", statement)
        found = FoundDatabase(None, frozenset({("public", "CONNECT"), ("public", "TEMPORARY")}))
    if not is_utc(found.zone):  # naive times of the given tables are UTC, so now() must be too
        statement = sql.SQL("alter database {} set timezone = 'UTC'").format(identifier)
        yield _step(cluster, f"database {name}: timezone = UTC", statement)
    if any(role == "public" for role, _ in found.grants):
        statement = sql.SQL("revoke all on database {} from public").format(identifier)
        yield _step(cluster, f"database {name}: closed to everybody else", statement)
    for role, privilege in sorted(database.grants - found.grants):
        statement = sql.SQL("grant {} on database {} to {}").format(
            sql.SQL(privilege), identifier, sql.Identifier(role)
        )
        yield _step(cluster, f"database {name}: {privilege.lower()} granted to {role}", statement)


def _step(cluster: Cluster, what: str, statement: sql.Composed) -> Step:
    return Step(Change(system=cluster, what=what), statement)


def _read(name: str) -> bytes:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_bytes()

"""Create the roles and databases of a cluster as ``schemas/roles/<cluster>.yml`` says.

The comparison is a pure function that returns steps, so a dry run reports the same steps without running them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from promptsales.errors import driver_errors
from promptsales.provision import passwords
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.migrations import LOCK
from promptsales.provision.replication import find_open_rules
from promptsales.provision.servers import refuse_standby
from promptsales.provision.writers import is_utc
from promptsales.secrets import Secrets
from promptsales.specs.cluster import Cluster, ClusterSpec, Database, Role, read_cluster_spec


@dataclass(frozen=True)
class ExistingRole:
    """A role in the cluster."""

    login: bool
    replication: bool
    password: str | None
    member_of: list[str]
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ExistingDatabase:
    """A database in the cluster; grants are pairs of role and privilege, 'public' stands for all roles."""

    zone: str | None
    grants: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class ClusterStep:
    """A change and the statement that makes it."""

    change: ProvisionChange
    statement: sql.Composed


def provision_cluster(
    connection: psycopg.Connection, cluster: Cluster, secrets: Secrets, dry_run: bool = False
) -> list[ProvisionChange]:
    """Update the roles and databases of a cluster to match its file, and create missing passwords.

    Args:
        connection: an administrator's connection to the database ``postgres``.
        cluster: the name of the file.
        secrets: where passwords are stored.
        dry_run: change nothing, and return what would be changed.

    Raises:
        ConfigError: when the server is a standby.
        TransientError, TerminalError: when PostgreSQL refuses.
    """
    goal = read_cluster_spec(cluster)
    connection.autocommit = True  # `create database` cannot run in a transaction
    with driver_errors(f"roles and databases of {cluster}"):
        refuse_standby(connection, f"cluster {cluster}")
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        try:
            roles = {name: ExistingRole(*rest) for name, *rest in connection.execute(_read("roles"))}
            databases = {
                name: ExistingDatabase(zone, frozenset((role, privilege) for role, privilege in grants))
                for name, zone, grants in connection.execute(_read("databases"))
            }
            steps = list(_steps(cluster, goal, roles, databases))
            stale = _stale_passwords(goal, roles, secrets)
            open_rules = list(find_open_rules(connection, cluster))
            if not dry_run:
                for step in steps:
                    connection.execute(step.statement)
                for name in stale:
                    connection.execute(_password(connection, name, secrets.create(name)))
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [LOCK])
    password_changes = (ProvisionChange(system=cluster, what=f"password of {name} set") for name in stale)
    return [*(step.change for step in steps), *password_changes, *open_rules]


def _steps(
    cluster: Cluster, goal: ClusterSpec, roles: Mapping[str, ExistingRole], databases: Mapping[str, ExistingDatabase]
) -> Iterator[ClusterStep]:
    for name, role in goal.roles.items():
        yield from role_steps(cluster, name, role, roles.get(name))
    for name, database in goal.databases.items():
        yield from database_steps(cluster, name, database, databases.get(name))


def _stale_passwords(goal: ClusterSpec, roles: Mapping[str, ExistingRole], secrets: Secrets) -> list[str]:
    """Return the login roles that have no password, or another one than the stored secret."""
    return [
        name
        for name, role in goal.roles.items()
        if role.login
        and not (name in roles and secrets.has(name) and passwords.fits(roles[name].password, secrets.password(name)))
    ]


def _password(connection: psycopg.Connection, role: str, password: str) -> sql.Composed:
    verifier = passwords.make_verifier(connection, role, password)
    return sql.SQL("alter role {} password {}").format(sql.Identifier(role), verifier)


def role_steps(cluster: Cluster, name: str, role: Role, existing: ExistingRole | None) -> Iterator[ClusterStep]:
    """Yield the steps that create or change a role, without its password."""
    identifier = sql.Identifier(name)
    options = sql.SQL(
        f"{'login' if role.login else 'nologin'} {'replication' if role.replication else 'noreplication'}"
    )
    if existing is None:
        yield _step(cluster, f"role {name} created", sql.SQL("create role {} {}").format(identifier, options))
        existing = ExistingRole(role.login, role.replication, None, [])
    if (existing.login, existing.replication) != (role.login, role.replication):
        statement = sql.SQL("alter role {} {}").format(identifier, options)
        yield _step(cluster, f"role {name}: {options.as_string()}", statement)
    for group in sorted(set(role.member_of) - set(existing.member_of)):
        statement = sql.SQL("grant {} to {}").format(sql.Identifier(group), identifier)
        yield _step(cluster, f"role {name}: member of {group}", statement)
    for setting, value in role.settings.items():
        if existing.settings.get(setting) != value:
            statement = sql.SQL("alter role {} set {} = {}").format(
                identifier, sql.Identifier(setting), sql.Literal(value)
            )
            yield _step(cluster, f"role {name}: {setting} = {value}", statement)


def database_steps(
    cluster: Cluster, name: str, database: Database, existing: ExistingDatabase | None
) -> Iterator[ClusterStep]:
    """Yield the steps that create or change a database."""
    identifier = sql.Identifier(name)
    if existing is None:
        statement = sql.SQL(
            "create database {} owner {} template template0 "
            "encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8'"
        ).format(identifier, sql.Identifier(database.owner))
        yield _step(cluster, f"database {name} created", statement)
        existing = ExistingDatabase(None, frozenset({("public", "CONNECT"), ("public", "TEMPORARY")}))
    if not is_utc(existing.zone):  # naive times of the sources are UTC, so now() must return UTC
        statement = sql.SQL("alter database {} set timezone = 'UTC'").format(identifier)
        yield _step(cluster, f"database {name}: timezone = UTC", statement)
    if any(role == "public" for role, _ in existing.grants):
        statement = sql.SQL("revoke all on database {} from public").format(identifier)
        yield _step(cluster, f"database {name}: closed to everybody else", statement)
    for role, privilege in sorted(database.grants - existing.grants):
        statement = sql.SQL("grant {} on database {} to {}").format(
            sql.SQL(privilege), identifier, sql.Identifier(role)
        )
        yield _step(cluster, f"database {name}: {privilege.lower()} granted to {role}", statement)


def _step(cluster: Cluster, what: str, statement: sql.Composed) -> ClusterStep:
    return ClusterStep(ProvisionChange(system=cluster, what=what), statement)


def _read(name: str) -> bytes:
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_bytes()

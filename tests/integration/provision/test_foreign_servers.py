"""Settings of a server that no session can correct are refused or reported, with their name and a fix."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from promptsales.errors import ConfigError, SourceRefused
from promptsales.extract.relation import RelationReader
from promptsales.hashing.hashes import active_key
from promptsales.provision import provision, provision_database
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contract
from tests.integration.provision.conftest import Connect
from tests.support.foreign import foreign_settings

NAIVE = (
    "promptads.ad_metrics.timestamp, promptads.campaign_metrics.timestamp, promptads.campaigns.end_date, "
    "promptads.campaigns.start_date, promptsales.subscriptions.end_date, promptsales.subscriptions.start_date, "
    "promptsales.users.created_at"
)


@contextmanager
def database(stack: Settings, encoding: str) -> Iterator[psycopg.Connection]:
    """Create an empty database in some encoding, and connect as its administrator."""
    name = f"scratch_{uuid.uuid4().hex}"
    with psycopg.connect(stack.address("sources_admin"), autocommit=True) as admin:
        create = sql.SQL("create database {} encoding {} locale_provider libc locale 'C' template template0")
        admin.execute(create.format(sql.Identifier(name), sql.Literal(encoding)))
        try:
            with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname=name)) as connection:
                yield connection
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_in_another_encoding_is_refused(stack: Settings, encoding: str) -> None:
    refusal = rf"database scratch_\w+: its encoding is {encoding}, expected UTF8.*template template0"
    with database(stack, encoding) as admin, pytest.raises(ConfigError, match=refusal):
        provision_database(admin, "promptcrm", {})


def test_text_in_no_encoding_is_not_hashed_here_either(stack: Settings) -> None:
    feed = Contract.model_validate({**contract("leads").model_dump(), "hash_at": "extract"})
    with database(stack, "SQL_ASCII") as source:
        reader = RelationReader(feed, source, active_key(stack.state / "secrets"))
        with pytest.raises(SourceRefused, match=r"feed leads: database scratch_\w+ has the encoding SQL_ASCII"):
            reader.refuse_drift()


@pytest.mark.parametrize("kind", ["role", "database"])
def test_a_provision_is_the_same_under_foreign_settings(stack: Settings, kind: str) -> None:
    with foreign_settings(stack, kind):
        changes = [change.what for change in provision(stack, dry_run=True) if not change.is_warning]
    zones = {f"database {name}: timezone = UTC" for name in ("promptsales", "promptcrm", "warehouse")}
    assert set(changes) == (zones if kind == "database" else set())


def test_who_writes_in_another_zone_is_told_of(promptsales_copy: Connect) -> None:
    zones = {
        "of_all": ("", "America/New_York"),
        "of_one": ("in database {0}", "Asia/Tokyo"),
        "utc": ("", "Zulu"),
        "utc_here": ("", "Asia/Tokyo", "in database {0}", "Etc/UTC"),
        # these cannot log in and write either
        "no_login": ("", "Asia/Tokyo"),
        "no_right": ("", "Asia/Tokyo"),
    }
    with promptsales_copy("postgres") as admin:
        name = admin.info.dbname
        assert provision_database(admin, "promptsales", dry_run=True) == []
        try:
            for role, (*settings,) in zones.items():
                login, group = role != "no_login", "" if role == "no_right" else "in role promptsales_owner"
                admin.execute(f"create role {role} {'login' if login else ''} {group}".encode())
                for where, zone in zip(settings[::2], settings[1::2], strict=True):
                    admin.execute(f"alter role {role} {where.format(name)} set timezone = '{zone}'".encode())
            changes = provision_database(admin, "promptsales", dry_run=True)
        finally:
            admin.execute(f"drop role {', '.join(zones)}".encode())
    assert {change.what for change in changes} == {
        f"role {role} has timezone = {zone}, so it writes local times, such as a default of now(), into columns that "
        f"are read as UTC: {NAIVE}; run `alter role {where} set timezone = 'UTC'`"
        for role, zone, where in (
            ("of_all", "America/New_York", '"of_all"'),
            ("of_one", "Asia/Tokyo", f'"of_one" in database "{name}"'),
        )
    }
    assert all(change.is_warning for change in changes)


def test_who_fires_no_trigger_is_told_of_and_in_the_warehouse_refused(
    crm_copy: Connect, warehouse_copy: Connect
) -> None:
    with crm_copy("postgres") as admin, warehouse_copy("postgres") as warehouse:
        crm, wh = admin.info.dbname, warehouse.info.dbname
        statement = "alter role {} in database {} set session_replication_role = replica"
        admin.execute(statement.format("promptcrm_owner", crm).encode())
        warehouse.execute(statement.format("warehouse_loader", wh).encode())
        try:
            (change,) = provision_database(admin, "promptcrm", dry_run=True)
            refusal = (
                r"role warehouse_loader has session_replication_role = replica in warehouse.*run "
                rf'`alter role "warehouse_loader" in database "{wh}" reset session_replication_role`'
            )
            with pytest.raises(ConfigError, match=refusal):
                provision_database(warehouse, "warehouse", dry_run=True)
        finally:
            admin.execute(f"alter role promptcrm_owner in database {crm} reset all".encode())
            warehouse.execute(f"alter role warehouse_loader in database {wh} reset all".encode())
    assert change.is_warning
    assert change.what == (
        "role promptcrm_owner has session_replication_role = replica in promptcrm, so its writes fire no trigger; "
        f'run `alter role "promptcrm_owner" in database "{crm}" reset session_replication_role`, or its changes '
        "do not set updated_at and only a reconciliation finds them"
    )

"""No code that an application planted in its database runs as the administrator."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from promptsales.errors import ConfigError
from promptsales.monitoring.stream_doctor import check_publications
from promptsales.provision import provision_database
from promptsales.provision.lines import read_line
from promptsales.provision.migrations import migrate_as_owner
from promptsales.provision.pads import has_pads
from promptsales.settings import Settings
from tests.integration.provision.conftest import KEY, Connect, database

# tries every way back to the rights of the session's login; a rollback does not undo what a sequence counted
TAKE_OVER = """
    create schema planted;
    create sequence planted.taken;
    create function planted.take_over() returns text language plpgsql as $$
        begin
            begin reset role; exception when others then null; end;
            begin reset session authorization; exception when others then null; end;
            if (select rolsuper from pg_roles where rolname = current_user) then
                perform nextval('planted.taken');
            end if;
            return '';
        end $$;
    create function planted.on_write() returns trigger language plpgsql as $$
        begin perform planted.take_over(); return new; end $$;
    create function planted.constant(int) returns int language plpgsql immutable as $$
        begin perform planted.take_over(); return 1; end $$;
"""


STRANGER = r"schema (migrations|etl) belongs to promptcrm_owner, expected the administrator's own"


def took_over(connection: psycopg.Connection) -> bool:
    """Return whether planted code ran as a superuser."""
    return connection.execute("select is_called from planted.taken").fetchone() == (True,)


@pytest.fixture
def connect(stack: Settings) -> Iterator[Connect]:
    with database(stack, "promptcrm") as connect:
        yield connect


@pytest.mark.parametrize(
    "plant",
    [
        "create trigger t before update on crm.a for each row execute function planted.on_write()",
        "create constraint trigger t after update on crm.a initially deferred for each row"
        " execute function planted.on_write()",
        "create index on crm.a (planted.constant(1))",
        "create rule r as on update to crm.a do also select planted.take_over()",
        "alter table crm.a add check (planted.constant(id) = 1) not valid",
        "alter table crm.a alter id type int using id, add b int generated always as (planted.constant(id)) stored",
    ],
)
def test_a_migration_runs_none_of_it(connect: Connect, tmp_path: Path, plant: str) -> None:
    admin = connect("postgres")
    (tmp_path / "0001_first.sql").write_text(
        "create schema crm; create table crm.a (id int); insert into crm.a values (1);"
    )
    migrate_as_owner(admin, read_line("promptcrm", "a_line", "promptcrm_owner", tmp_path), connect)
    owner = connect("promptcrm_owner")
    owner.execute(TAKE_OVER)
    owner.execute(plant)
    (tmp_path / "0002_second.sql").write_text("update crm.a set id = 2;")
    (change,) = migrate_as_owner(admin, read_line("promptcrm", "a_line", "promptcrm_owner", tmp_path), connect)
    assert change.what.endswith("0002_second.sql applied")
    assert not took_over(admin)


@pytest.mark.parametrize(
    "plant",
    [
        "create schema migrations; create table migrations.applied (line text, number text, file text, sha256 text,"
        " applied_at timestamptz default clock_timestamp());"
        "create trigger t before insert on migrations.applied for each row execute function planted.on_write()",
        "create schema etl; create view etl.pii_pad as select 1 as kid, planted.take_over()",
    ],
)
def test_schemas_of_ours_that_were_there_before_are_refused(connect: Connect, plant: str) -> None:
    admin, owner = connect("postgres"), connect("promptcrm_owner")
    owner.execute(TAKE_OVER)
    owner.execute(plant)
    with pytest.raises(ConfigError, match=STRANGER):
        provision_database(admin, "promptcrm", {1: KEY}, log_in=connect)
    with pytest.raises(ConfigError, match=STRANGER):
        has_pads(admin)
    assert not took_over(admin)


@pytest.mark.parametrize(
    "plant",
    [
        "create trigger planted before update on crm.leads for each statement execute function planted.on_write();"
        "alter table crm.leads enable always trigger planted",
        "create rule planted as on update to crm.leads do also select planted.take_over();"
        "alter table crm.leads enable always rule planted",
        "create index planted on crm.leads (planted.constant(1))",
    ],
)
def test_the_doctor_runs_none_of_it(stack: Settings, plant: str) -> None:
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as owner:
        owner.execute(TAKE_OVER.encode())
        try:
            owner.execute(plant)
            assert list(check_publications(stack)) == []
            assert not took_over(owner)
        finally:
            owner.execute("drop schema planted cascade")

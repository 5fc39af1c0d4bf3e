"""Lines of migrations on a real server."""

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import pytest

from promptsales.errors import ConfigError, TerminalError
from promptsales.provision.changes import ProvisionChange
from promptsales.provision.lines import read_line
from promptsales.provision.migrations import migrate_as_owner
from tests.integration.provision.conftest import Connect, Scratch

FIRST = "create schema crm; create table crm.a (id int); comment on table crm.a is '100 % of :all {things}';"


@pytest.fixture
def connect(scratch: Scratch) -> Iterator[Connect]:
    with scratch("promptcrm") as connect:
        yield connect


def run(connect: Connect, folder: Path, dry_run: bool = False) -> list[ProvisionChange]:
    line = read_line("promptcrm", "a_line", "promptcrm_owner", folder)
    return migrate_as_owner(connect("postgres"), line, connect, dry_run)


def exists(connection: psycopg.Connection, relation: str) -> bool:
    return connection.execute("select to_regclass(%s) is not null", [relation]).fetchone() == (True,)


def test_what_is_run_can_be_told_to_a_log(connect: Connect, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "0001_first.sql").write_text(FIRST)
    with caplog.at_level(logging.INFO):
        run(connect, tmp_path)
    assert "Running upgrade" in caplog.text


def test_each_file_once_in_order_as_its_owner(connect: Connect, tmp_path: Path) -> None:
    admin = connect("postgres")
    (tmp_path / "0001_first.sql").write_text(FIRST)
    assert len(run(connect, tmp_path)) == 1
    assert run(connect, tmp_path) == []
    (tmp_path / "0002_second.sql").write_text("alter table crm.a add b int;")
    (tmp_path / "0003_third.sql").write_text("alter table crm.a rename b to c;")
    assert [change.what.split("/")[-1] for change in run(connect, tmp_path)] == [
        "0002_second.sql applied",
        "0003_third.sql applied",
    ]
    assert run(connect, tmp_path) == []
    applied = admin.execute(
        "select tableowner, obj_description('crm.a'::regclass) from pg_tables where tablename = 'a'"
    ).fetchone()
    assert applied == ("promptcrm_owner", "100 % of :all {things}")
    assert admin.execute("select version_num from migrations.a_line").fetchall() == [("0003",)]
    assert admin.execute("select current_user").fetchone() == ("postgres",)


def test_changed_file_is_refused_and_nothing_applied(connect: Connect, tmp_path: Path) -> None:
    admin = connect("postgres")
    (tmp_path / "0001_first.sql").write_text(FIRST)
    run(connect, tmp_path)
    (tmp_path / "0001_first.sql").write_text(FIRST + " ")
    (tmp_path / "0002_second.sql").write_text("create table crm.b ();")
    with pytest.raises(ConfigError, match="was changed after it was applied"):
        run(connect, tmp_path)
    assert not exists(admin, "crm.b")


def test_a_failing_file_undoes_those_before_it(connect: Connect, tmp_path: Path) -> None:
    admin = connect("postgres")
    (tmp_path / "0001_first.sql").write_text(FIRST)
    (tmp_path / "0002_second.sql").write_text("create table crm.b (); select 1 / 0;")
    with pytest.raises(TerminalError, match=r"migration .*0002_second\.sql: DivisionByZero"):
        run(connect, tmp_path)
    assert not exists(admin, "crm.a")
    assert admin.execute("select count(*) from migrations.applied").fetchone() == (0,)
    (tmp_path / "0002_second.sql").write_text("create table crm.b ();")
    assert len(run(connect, tmp_path)) == 2


def test_a_file_may_not_do_what_its_owner_may_not(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("create role somebody;")
    with pytest.raises(TerminalError, match="InsufficientPrivilege"):
        run(connect, tmp_path)


def test_dry_run_says_it_and_does_nothing(connect: Connect, tmp_path: Path) -> None:
    admin = connect("postgres")
    (tmp_path / "0001_first.sql").write_text(FIRST)
    assert len(run(connect, tmp_path, dry_run=True)) == 1
    assert not exists(admin, "crm.a")
    assert not exists(admin, "migrations.applied")
    assert len(run(connect, tmp_path)) == 1


def test_two_at_once_do_it_once(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text(FIRST + "select pg_sleep(0.3);")
    both, results = Barrier(2), []

    def provision() -> None:
        both.wait()
        results.append(len(run(connect, tmp_path)))

    threads = [Thread(target=provision) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1]


def test_a_provision_killed_before_its_record(connect: Connect, tmp_path: Path) -> None:
    admin = connect("postgres")
    (tmp_path / "0001_first.sql").write_text(FIRST)
    run(connect, tmp_path)
    admin.execute("delete from migrations.applied")  # written after the owner's transaction
    assert run(connect, tmp_path) == []
    assert admin.execute("select line, number from migrations.applied").fetchall() == [("a_line", "0001")]


def test_without_the_owner_s_password_due_files_are_refused(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text(FIRST)
    line = read_line("promptcrm", "a_line", "promptcrm_owner", tmp_path)
    with pytest.raises(ConfigError, match=r"0001_first.sql is due and runs in a session of promptcrm_owner"):
        migrate_as_owner(connect("postgres"), line, None)
    run(connect, tmp_path)
    assert migrate_as_owner(connect("postgres"), line, None) == []

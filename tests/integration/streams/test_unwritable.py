"""The doctor names exactly the writes that PostgreSQL refuses, without trying them."""

from collections.abc import Iterator

import psycopg
import pytest

from promptsales.monitoring.stream_doctor import find_unwritable
from promptsales.settings import Settings
from tests.integration.provision.conftest import Connect, database

WRITES = {"UPDATE": "update crm.a set note = note", "DELETE": "delete from crm.a"}
TABLE = (
    "create table crm.a (id int primary key, code int not null, note text, unique (code) include (note)); "
    "insert into crm.a values (1, 1, 'x')"
)
LIST, KEY, FILTER = "column list does not cover", "it has no replica identity", "filter names columns"


@pytest.fixture(scope="module")
def connect(stack: Settings) -> Iterator[Connect]:
    with database(stack, "promptcrm") as connect:
        connect("promptcrm_owner").execute("create schema crm")
        yield connect


def refused(owner: psycopg.Connection) -> set[str]:
    """Return the writes that PostgreSQL refuses to the application."""
    verbs = set()
    for verb, statement in WRITES.items():
        try:
            owner.execute(statement)
        except (psycopg.errors.InvalidColumnReference, psycopg.errors.ObjectNotInPrerequisiteState):
            verbs.add(verb)
    return verbs


@pytest.mark.parametrize(
    ("change", "publication", "expected"),
    [
        ("", "for table crm.a", {}),
        ("", "for table crm.a (id, note)", {}),
        ("", "for table crm.a (note)", {"UPDATE": LIST, "DELETE": LIST}),
        ("", "for table crm.a (note) with (publish = 'insert, delete')", {"DELETE": LIST}),
        ("", "for table crm.a where (id > 1)", {}),
        ("", "for table crm.a where (id > 1 and code > 1)", {"UPDATE": FILTER, "DELETE": FILTER}),
        ("alter table crm.a replica identity full", "for table crm.a where (code > 1)", {}),
        ("alter table crm.a replica identity full", "for table crm.a (id)", {"UPDATE": LIST, "DELETE": LIST}),
        ("alter table crm.a replica identity using index a_code_note_key", "for table crm.a (code)", {}),
        (
            "alter table crm.a replica identity using index a_code_note_key",
            "for table crm.a (id)",
            {"UPDATE": LIST, "DELETE": LIST},
        ),
        ("alter table crm.a drop constraint a_pkey", "for table crm.a", {"UPDATE": KEY, "DELETE": KEY}),
        (
            "alter table crm.a drop constraint a_pkey",
            "for table crm.a with (publish = 'insert, update')",
            {"UPDATE": KEY},
        ),
        ("alter table crm.a replica identity nothing", "for all tables", {"UPDATE": KEY, "DELETE": KEY}),
    ],
)  # fmt: skip
def test_what_is_refused_is_told(connect: Connect, change: str, publication: str, expected: dict[str, str]) -> None:
    admin, owner = connect("postgres"), connect("promptcrm_owner")
    try:
        owner.execute(TABLE)
        owner.execute(change.encode())
        admin.execute(f"create publication p {publication}".encode())
        findings = list(find_unwritable(admin))
        assert refused(owner) == expected.keys()
    finally:
        admin.execute("drop publication if exists p; drop table crm.a")
    told = {finding.what.split(" of crm.a by the application fails: ")[0]: finding.what for finding in findings}
    assert told.keys() == expected.keys()
    assert all(reason in told[verb] for verb, reason in expected.items())
    assert {finding.where for finding in findings} <= {"publication p"}

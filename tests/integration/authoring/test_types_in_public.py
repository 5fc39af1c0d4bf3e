"""A draft names a type of an extension as everybody does, although an administrator's search path lacks its schema."""

from promptsales.authoring.relation import read_table
from promptsales.connections import connected
from promptsales.settings import Settings


def test_a_type_in_public_has_its_own_name(stack: Settings) -> None:
    with (
        connected(stack, "sources_admin", "promptcrm") as admin,
        admin.transaction(force_rollback=True),
    ):
        # the local server has no extensions
        admin.execute("create domain public.citext as text")
        admin.execute("create table crm.typed (id bigint primary key, note public.citext, notes public.citext[])")
        table = read_table(admin, "promptcrm", "crm.typed")
    assert table is not None
    assert [(column.name, column.type) for column in table.columns] == [
        ("id", "bigint"),
        ("note", "citext"),
        ("notes", "citext[]"),
    ]

"""A table with a reserved word and capitals in all its names goes from the draft to an erasure, on real servers.

In the warehouse it keeps these names: its core table is ``core."Order"``, and a view, a staging table and a history
table are named like it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from promptsales.settings import Settings
from tests.integration.authoring.conftest import Command, several

ID = "00000000-0000-4000-8000-00000000000"
TABLE = """
    create table public."Order" (
        "Id" uuid primary key,
        "group" integer not null,
        "User" uuid,
        "select" varchar(20) not null check ("select" in ('All', 'some', 'none')),
        "Email" varchar(320),
        "Table" text,
        "Updated_At" timestamptz not null default now(),
        "Deleted_At" timestamptz
    );
    create index on public."Order" ("Updated_At");
    create trigger zz_touch before update on public."Order"
        for each row execute function suppress_redundant_updates_trigger();
    insert into public."Order" ("Id", "group", "User", "select", "Email", "Table", "Updated_At")
    select ('00000000-0000-4000-8000-00000000000' || n)::uuid, n - 3, gen_random_uuid(), 'All',
           'person' || n || '@example.com', 'free text', '2026-01-02'
    from generate_series(1, 5) n;
    alter table public."Order" owner to promptcrm_owner
"""
HISTORY = """
create table core."Order_history" (
    "Id" uuid not null, "group" integer, "select" varchar(20),
    valid_from timestamptz not null, valid_to timestamptz not null, primary key ("Id", valid_from)
);
create unique index on core."Order_history" ("Id") where valid_to = 'infinity';
"""


@pytest.fixture
def orders(stack: Settings, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Create the table at the source; afterwards drop it and everything that was created for it."""
    address = make_conninfo(stack.address("sources_admin"), dbname="promptcrm")
    with psycopg.connect(address, autocommit=True) as source:
        source.execute(TABLE)
        yield source
        source.execute('drop table public."Order" cascade')
    admin.execute('drop table if exists core."Order", core."Order_history", staging."promptcrm__Order"')
    admin.execute('drop table if exists migrations."core_Order"')
    admin.execute("delete from migrations.applied where line = 'core_Order'")
    admin.execute("delete from ops.staleness where name = 'Order'")


def _finish(draft: Path, folder: Path) -> None:
    """Edit the draft as an engineer would who keeps the source's names, and move it to its place.

    ``deleted_at`` has its own name in every core table.
    """
    contract = yaml.safe_load((draft / "contract.yml").read_text())
    names = {column["name"]: column.get("source", column["name"]) for column in contract["columns"]}
    kept = {name: names[name] for name in ("order_id", "group", "user", "select", "updated_at")}
    for column in contract["columns"]:
        if column["name"] in kept:
            column["name"] = kept[column["name"]]
            column.pop("source", None)
    contract |= {"table": "Order", "key": "Id", "cursor": "Updated_At", "history": ["group", "select"]}
    draft.joinpath("contract.yml").write_text(yaml.safe_dump(contract, sort_keys=False))
    table, rules = (draft.joinpath(name) for name in ("table.sql", "expectations.yml"))
    text = table.read_text().replace('core."order"', 'core."Order"')
    for name, own in kept.items():
        text = text.replace(f'\n    "{name}" ', f'\n    "{own}" ').replace(f"\n    {name} ", f'\n    "{own}" ')
    table.write_text(text + HISTORY)
    suite = yaml.safe_load(rules.read_text().replace("column: updated_at", "column: Updated_At"))
    suite["expectations"] += [
        _rule("least", "expect_column_values_to_be_between", column="group", min_value=-1),
        _rule("in SQL", "unexpected_rows_expectation",
              unexpected_rows_query='select "Id" from {batch} where "group" = 2 and "select" like \'A%\''),
    ]  # fmt: skip
    rules.write_text(yaml.safe_dump(suite))
    draft.rename(folder)


def _rule(name: str, kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"rule": name, "on_fail": "quarantine"}, "description": "-"}


def _counts(results: list[dict[str, Any]]) -> tuple[int, ...]:
    (result,) = results
    return tuple(result[name] for name in ("extracted", "inserted", "updated", "unchanged", "quarantined"))


def test_a_feed(promptsales: Command, copy: Path, orders: psycopg.Connection, admin: psycopg.Connection) -> None:
    draft = copy / "mine"
    written = promptsales("contracts", "new", "public.Order", "--folder", str(draft))
    assert written.returncode == 0, written.stderr
    _finish(draft, copy / "warehouse" / "core" / "Order")
    outputs = several(
        promptsales,
        "provision --json",
        "load Order --json",
        "quarantine list --json",
        "diagnose Order",
        """sql update public."Order" set "group" = 9, "Updated_At" = now() where "group" in (-2, 2)""",
        """sql update public."Order" set "Deleted_At" = now(), "Updated_At" = now() where "group" = 0""",
        """sql delete from public."Order" where "group" = 1""",
        "load Order --json",
        "reconcile Order --json",
        "check Order --json",
        f"pii erase {ID}3 --yes",
        f'sql delete from public."Order" where "Id" = \'{ID}3\'',  # noqa: S608
        "reconcile Order --json",
        "provision --json",
    )
    assert [change["what"] for change in outputs[0]] == [
        "view etl.Order created",
        "warehouse/core/Order/table.sql applied",
        "staging.promptcrm__Order created",
        "core.Order: 18 comments written",
        "ops.staleness: 1 limits written",
    ]
    assert _counts(outputs[1]) == (5, 3, 0, 0, 2)
    assert [(row["key"], row["rules"]) for row in outputs[2]] == [(f"{ID}1", ["least"]), (f"{ID}5", ["in SQL"])]
    assert outputs[3] == []
    assert _counts(outputs[7]) == (3, 2, 1, 0, 0)
    assert [(row["gone"], row["deleted"], row["unequal_buckets"]) for row in outputs[8]] == [(1, 1, 1)]
    assert {row["result"] for row in outputs[9]} == {"passed"}
    assert [(row["source_rows"], row["warehouse_rows"], row["unequal_buckets"]) for row in outputs[12]] == [(3, 3, 0)]
    assert outputs[13] == []
    _assert_core(admin)


def _assert_core(admin: psycopg.Connection) -> None:
    """Check rows and versions after two repairs, a soft delete, a delete and an erasure."""
    assert admin.execute(
        'select right("Id"::text, 1), "group", "select", length(email_hmac), is_email_valid, deleted_at is null '
        'from core."Order" order by 1'
    ).fetchall() == [
        ("1", 9, "All", 32, True, True),
        ("2", -1, "All", 32, True, True),
        ("4", 1, "All", 32, True, False),
        ("5", 9, "All", 32, True, True),
    ]
    assert admin.execute(
        'select right("Id"::text, 1), "group", valid_to = \'infinity\' from core."Order_history" order by 1, valid_from'
    ).fetchall() == [("1", 9, True), ("2", -1, True), ("4", 1, True), ("5", 9, True)]

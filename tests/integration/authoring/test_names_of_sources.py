"""A feed whose source has arbitrary column names works from the draft to an erasure, on real servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from promptsales.settings import Settings
from tests.integration.authoring.conftest import Command, several

LINE = "00000000-0000-4000-8000-00000000000"
TABLE = """
    create table crm."Order Lines" (
        "ID" uuid primary key,
        "order" integer not null,
        "Group" varchar(20) check ("Group" in ('it''s', 'a;b: {x}', 'ok', 'test it', 'bad one', '42')),
        "user" uuid,
        "with space" integer,
        "Margin %" numeric(5,2),
        "a.b" integer,
        s integer, t integer, key integer, value integer, moment date, changed_at date, rules integer,
        "birthDate" date,
        "E-Mail" varchar(320),
        "Email" varchar(320),
        "createdAt" timestamptz not null default now(),
        "updatedAt" timestamp not null default now(),
        "deletedAt" timestamptz
    );
    create index on crm."Order Lines" ("updatedAt", "ID");
    create trigger zz_touch before update on crm."Order Lines"
        for each row execute function suppress_redundant_updates_trigger();
    insert into crm."Order Lines"
        ("ID", "order", "Group", "user", "with space", "Margin %", "a.b", s, t, key, value, moment, changed_at, rules,
         "E-Mail", "updatedAt")
    select ('00000000-0000-4000-8000-00000000000' || n)::uuid, n, g, gen_random_uuid(), n, n + 0.5, n, n, n, n, n,
           '2026-01-02', '2026-01-02', n, 'person' || n || '@example.com',
           -- so long ago that no later load reads the row again for the margin of the frontier
           '2026-01-02'
    from unnest(array['it''s', 'a;b: {x}', 'ok', 'test it', 'bad one', '42']) with ordinality as x(g, n)
"""
HISTORY = """
create table core.order_lines_history (
    order_line_id uuid not null, "order" integer, "Group" varchar(20), changed_at date, rules integer,
    valid_from timestamptz not null, valid_to timestamptz not null, primary key (order_line_id, valid_from)
);
create unique index on core.order_lines_history (order_line_id) where valid_to = 'infinity';
"""
# a column of the draft -> its name at the source, if that differs
DRAFT = {
    "order_line_id": "ID", "order": None, "group": "Group", "user": None, "with_space": "with space",
    "margin": "Margin %", "a_b": "a.b", "s": None, "t": None, "key": None, "value": None, "moment": None,
    "changed_at": None, "rules": None, "e_mail_hmac": "E-Mail",
    "is_e_mail_valid": "E-Mail", "email_hmac": "Email", "is_email_valid": "Email",
    "created_at": "createdAt", "updated_at": "updatedAt", "deleted_at": "deletedAt", "pii_kid": None,
}  # fmt: skip
SQL = "unexpected_rows_expectation"
RULES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "like in SQL",
        SQL,
        {"unexpected_rows_query": "select order_line_id from {batch} where \"Group\" like 'test%' -- the end; {2} %s"},
    ),
    (
        "braces in SQL",
        SQL,
        {"unexpected_rows_query": "select order_line_id from {batch} b where b.\"Group\" ~ '^[0-9]{2}$' or ':x' = ';'"},
    ),
    (
        "like",
        "expect_column_values_to_not_match_like_pattern",
        {"column": "Group", "like_pattern": "bad%"},
    ),
    ("braces", "expect_column_values_to_match_regex", {"column": "Group", "regex": "^.{2,20}$"}),
    ("a pair", "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "margin", "column_B": "order"}),
    ("least", "expect_column_values_to_be_between", {"column": "order", "min_value": 1}),
]


@pytest.fixture
def lines(stack: Settings, crm: psycopg.Connection, admin: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Create the table at the source; afterwards drop it and everything that was created for it."""
    crm.execute(TABLE)
    yield crm
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as source:
        source.execute('drop table crm."Order Lines" cascade')
    for name in ("core.order_lines", "core.order_lines_history", "staging.promptcrm__order_lines"):
        admin.execute(f"drop table if exists {name}".encode())
    admin.execute("drop table if exists migrations.core_order_lines")
    admin.execute("delete from migrations.applied where line = 'core_order_lines'")
    admin.execute("delete from ops.staleness where name = 'order_lines'")


def test_a_feed(promptsales: Command, copy: Path, lines: psycopg.Connection, admin: psycopg.Connection) -> None:
    written = promptsales("contracts", "new", "crm.Order Lines", "--write")
    assert written.returncode == 0, written.stderr
    folder = copy / "warehouse" / "core" / "order_lines"
    contract = yaml.safe_load((folder / "contract.yml").read_text())
    assert {column["name"]: column.get("source") for column in contract["columns"]} == DRAFT
    assert contract["unread"] == ["birthDate"]
    _with_capitals_and_rules(folder)
    outputs = several(
        promptsales,
        "provision --json",
        "load order_lines --json",
        "quarantine list --json",
        "check order_lines --json",
        "diagnose order_lines",
        """sql update crm."Order Lines" set "Group" = 'ok', "updatedAt" = now() where "order" in (1, 4)""",
        """sql delete from crm."Order Lines" where "order" = 2""",
        "load order_lines --json",
        "reconcile order_lines --json",
        f"pii erase {LINE}3 --yes",
    )
    assert [change["what"] for change in outputs[0]] == [
        "view etl.order_lines created",
        "warehouse/core/order_lines/table.sql applied",
        "staging.promptcrm__order_lines created",
        "core.order_lines: 33 comments written",
        "ops.staleness: 1 limits written",
    ]
    assert counts(outputs[1]) == {"extracted": 6, "inserted": 3, "updated": 0, "quarantined": 3, "checks_failed": 3}
    assert [(row["key"], row["rules"]) for row in outputs[2]] == [
        (f"{LINE}4", ["like in SQL"]),
        (f"{LINE}5", ["like"]),
        (f"{LINE}6", ["braces in SQL"]),
    ]
    assert {row["result"] for row in outputs[3]} == {"passed"}
    assert outputs[4] == []
    assert counts(outputs[7]) == {"extracted": 2, "inserted": 1, "updated": 1, "quarantined": 0, "checks_failed": 0}
    assert [(row["gone"], row["deleted"], row["unequal_buckets"]) for row in outputs[8]] == [(1, 1, 1)]
    _assert_core(admin)


def _assert_core(admin: psycopg.Connection) -> None:
    """Check rows and versions after an update of two rows, a delete, and the erasure of a quarantined row."""
    assert admin.execute(
        'select "order", "Group", with_space, margin::text, a_b, s, key, value, rules, deleted_at is null '
        "from core.order_lines order by 1"
    ).fetchall() == [
        (1, "ok", 1, "1.50", 1, 1, 1, 1, 1, True),
        (2, "a;b: {x}", 2, "2.50", 2, 2, 2, 2, 2, False),
        (4, "ok", 4, "4.50", 4, 4, 4, 4, 4, True),
    ]
    assert admin.execute(
        'select "order", "Group", changed_at::text, rules, valid_to = \'infinity\' from core.order_lines_history '
        "order by 1, valid_from"
    ).fetchall() == [
        (1, "it's", "2026-01-02", 1, False),
        (1, "ok", "2026-01-02", 1, True),
        (2, "a;b: {x}", "2026-01-02", 2, True),
        (4, "ok", "2026-01-02", 4, True),
    ]


def counts(results: list[dict[str, Any]]) -> dict[str, int]:
    """Return the counts of a load."""
    (result,) = results
    return {name: result[name] for name in ("extracted", "inserted", "updated", "quarantined", "checks_failed")}


def _with_capitals_and_rules(folder: Path) -> None:
    """Edit the draft as an engineer would: keep a capital in a name, add a history, add rules."""
    contract, table, rules = (folder / name for name in ("contract.yml", "table.sql", "expectations.yml"))
    text = contract.read_text().replace("name: group, source: Group", "name: Group")
    contract.write_text(text.replace("history: []", "history: [order, Group, changed_at, rules]"))
    table.write_text(table.read_text().replace('"group"', '"Group"') + HISTORY)
    suite = yaml.safe_load(rules.read_text().replace("column: group", "column: Group"))
    rules.write_text(
        yaml.safe_dump(
            {"expectations": suite["expectations"] + [_rule(name, kind, **kwargs) for name, kind, kwargs in RULES]}
        )
    )


def _rule(name: str, kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"rule": name, "on_fail": "quarantine"}, "description": "-"}

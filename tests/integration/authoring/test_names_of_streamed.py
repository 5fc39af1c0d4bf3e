"""A streamed table whose source has arbitrary column names: provisioned, streamed, compared, released."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from promptsales.settings import Settings
from tests.integration.authoring.conftest import Command

SOURCE = """
    create table crm."order" (
        "ID" bigint primary key, "Group" text, "order" integer, "Margin %" numeric(12,2), is_deleted boolean,
        "Rules, all" jsonb, key text, payload integer, class text, "updatedAt" timestamptz, "group" text
    );
    insert into crm."order" values
        (1, 'ab', 10, 1.5, true, '{"a %": 1, "b": [2]}', 'k1', 7, 'x', '2026-01-02T10:10Z', 'secret'),
        (2, 'test it', 20, 2.5, false, '{"a %": 2}', 'k2', 8, 'y', '2026-01-02T10:20Z', 'secret'),
        (3, '42', 30, null, null, null, 'k3', null, null, '2026-01-02T10:30Z', 'secret');
"""
TABLE = """
    create table core."Orders" (
        order_id bigint primary key, "Group" text, "order" integer, margin numeric(12,2), was_deleted boolean,
        rules jsonb, key text, payload integer, class text, updated_at timestamptz,
        is_deleted boolean not null, src_epoch integer not null, src_commit bigint not null,
        src_lsn bigint not null,
        src_is_snapshot boolean not null, _loaded_at timestamptz not null
    );
    create table core."Orders_history" (
        order_id bigint not null, "Group" text, "order" integer, rules jsonb,
        valid_from timestamptz not null, valid_to timestamptz not null, primary key (order_id, valid_from)
    );
"""
TYPES = {
    "order_id": ("ID", "bigint"),
    "Group": (None, "text"),
    "order": (None, "integer"),
    "margin": ("Margin %", "numeric(12,2)"),
    "was_deleted": ("is_deleted", "boolean"),
    "rules": ("Rules, all", "jsonb"),
    "key": (None, "text"),
    "payload": (None, "integer"),
    "class": (None, "text"),
    "updated_at": ("updatedAt", "timestamp with time zone"),
}
CONTRACT = {
    "table": "Orders",
    "description": "Orders: 100% of them.",
    "source": {"system": "promptcrm", "relation": "crm.order"},
    "path": "stream",
    "key": "order_id",
    "history": ["Group", "order", "rules"],
    "touched": {"entity": "key", "day": "updated_at"},
    "columns": [
        {"name": name, "type": kind, "pii": "none", "description": f"{name}: 50% {{of}} all."}
        | ({"source": source} if source else {})
        | ({"keys": ["a %", "b"]} if kind == "jsonb" else {})
        for name, (source, kind) in TYPES.items()
    ],
}
RULES = {
    "braces": ("expect_column_values_to_match_regex", {"column": "Group", "regex": "^[a-z ]{2,9}$"}, "quarantine"),
    "least": ("expect_column_values_to_be_between", {"column": "order", "min_value": 1}, "quarantine"),
    "like in SQL": (
        "unexpected_rows_expectation",
        {
            "unexpected_rows_query": """select order_id from {batch} b
                where b."Group" like 'test%' or class ~ '^:{2}$' -- it's"""
        },
        "warn",
    ),
}
# calls the sink, the audit and the release as the worker and the command line do
FOLLOW = """
import asyncio, json, sys
from datetime import UTC, datetime
import psycopg
from promptsales.feeds.manual_action import Decision
from promptsales.connections import connected
from promptsales.stream.connectors import config
from promptsales.quality.tables import audit_streamed
from promptsales.settings import settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import compare, sweep
from promptsales.stream.batch import Batch
from promptsales.stream.messages import Message
from promptsales.stream.decode import UNCHANGED, Decoder
from promptsales.stream.sink import Sink
from promptsales.stream.waive import waive

here, contract = settings(), stream_contracts()["Orders"]
decoder, said = Decoder(contract), {}

def event(op, number, lsn, **row):
    row = None if op == "d" else {**dict.fromkeys(contract.origins), "ID": number, **row}
    before, source = {"ID": number} if op == "d" else None, {"lsn": lsn, "ts_us": lsn * 10**15}
    value = {"op": op, "before": before, "after": row, "source": source}
    return decoder.decode(Message(contract.topic, 0, 0, None, json.dumps(value).encode(), 1))

async def apply(*changes):
    async with await psycopg.AsyncConnection.connect(here.address("warehouse"), autocommit=True) as connection:
        return (await Sink(connection, 14).apply(Batch(changes, (), ()))).quarantined

def rest(number, at, **more):
    return {"key": f"k{number}", "order": 10 * number, "updatedAt": f"2026-01-02T10:{at}:00Z", **more}

first = rest(1, 10, **{"Group": "old", "Margin %": "1.50", "is_deleted": True, "payload": 7, "class": "x"})
said["quarantined"] = asyncio.run(apply(
    event("r", 1, 1, **first, **{"Rules, all": '{"a %": 1, "b": [2], "c": 3}'}),
    event("c", 2, 1, **rest(2, 20, **{"Group": "test it", "Margin %": "2.50", "is_deleted": False}),
          **{"payload": 8, "class": "y", "Rules, all": '{"a %": 2}'}),
    event("c", 3, 1, **rest(3, 30, Group="42")),
    event("c", 4, 1, **rest(4, 40, Group="gone")),
))
asyncio.run(apply(
    event("u", 1, 2, **{**first, "Group": "ab"}, **{"Rules, all": UNCHANGED}), event("d", 4, 2)
))
with connected(here, "warehouse") as warehouse, connected(here, "promptcrm_cdc") as source:
    said["held"] = warehouse.execute("select key, rules from ops.quarantine where feed = 'Orders'").fetchall()
    compare.prepare(source, warehouse)
    window = {"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2026, 2, 1, tzinfo=UTC)}
    ours = compare.count_by_hour(contract, warehouse, window)
    theirs = compare.count_source_by_hour(contract, source, window)
    said["hours"] = [len(ours), ours == theirs]
    keys = compare.read_keys(contract, source, warehouse, [datetime(2026, 1, 2, 10, tzinfo=UTC)])
    pairs = [compare.read_rows(contract, warehouse, keys), compare.read_source_rows(contract, source, keys)]
    said["rows"] = [keys, [pairs[0][key].values == pairs[1][key].values for key in keys], pairs[1]["1"].row]
    said["left"] = sorted(sweep._read_leftover_keys(warehouse, contract, 2))
    said["gone"] = sweep._find_deleted(source, contract, [1, 9])
    (number,) = warehouse.execute("select quarantine_id from ops.quarantine where feed = 'Orders'").fetchone()
    waive(here, contract, number, Decision("cli:test", "a test releases it"))
    verdicts = audit_streamed(contract, warehouse, datetime.now(UTC))
    broken = [one for one in verdicts if not one.is_success]
    said["broken"] = {one.expectation.meta.rule: [one.unexpected_count, one.error] for one in broken}
wanted = config(here, "promptcrm", 1)
said["columns"] = [one for one in wanted["column.include.list"].split(",") if r"crm\\.order\\." in one]
print(json.dumps(said, default=str))
"""


@pytest.fixture
def orders(stack: Settings, crm: psycopg.Connection, admin: psycopg.Connection) -> Iterator[None]:
    """Create the table at the source; afterwards drop it and everything that was created for it."""
    crm.execute(SOURCE)
    yield
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptcrm"), autocommit=True) as source:
        source.execute('drop table crm."order" cascade')
    admin.execute('drop table if exists core."Orders", core."Orders_history", migrations."core_Orders"')
    admin.execute("delete from migrations.applied where line = 'core_Orders'")
    admin.execute("delete from ops.staleness where name = 'Orders'")


def written(copy: Path) -> None:
    """Write the table's folder as an engineer would."""
    folder = copy / "warehouse" / "core" / "Orders"
    folder.mkdir()
    (folder / "contract.yml").write_text(yaml.safe_dump(CONTRACT, sort_keys=False))
    (folder / "table.sql").write_text(TABLE)
    rules = [
        {"type": kind, "kwargs": kwargs, "meta": {"rule": rule, "on_fail": on_fail}, "description": "-"}
        for rule, (kind, kwargs, on_fail) in RULES.items()
    ]
    (folder / "expectations.yml").write_text(yaml.safe_dump({"expectations": rules}))


def test_a_streamed_table(
    promptsales: Command, copy: Path, crm: psycopg.Connection, orders: None, admin: psycopg.Connection
) -> None:
    written(copy)
    refused = promptsales("provision")
    assert (refused.returncode, " ".join(refused.stderr.split())) == (1, TWINS)
    crm.execute('alter table crm."order" drop column "group"')
    provisioned = promptsales("provision", "--json")
    assert provisioned.returncode == 0, provisioned.stderr
    assert {change["what"] for change in json.loads(provisioned.stdout)} >= {
        "core.Orders: 24 comments written",
        "publication promptcrm: tables and columns as the contracts say",
        "crm.order: 10 columns granted to cdc, etl_audit",
    }
    followed = promptsales(code=FOLLOW)
    assert followed.returncode == 0, followed.stderr
    output: dict[str, Any] = json.loads(followed.stdout)
    assert (output["quarantined"], output["held"]) == (1, [["3", ["braces"]]])
    assert output["hours"] == [1, True]
    assert output["rows"] == [["1", "2", "3"], [True, True, True], SENT]
    assert (output["left"], output["gone"]) == ([1, 2, 3], [9])
    assert output["broken"] == {"braces": [1, None], "like in SQL": [1, None]}
    # Debezium ignores case unless its patterns say otherwise, and a comma ends a pattern
    assert output["columns"] == [
        rf"(?-i)crm\.order\.{name}"
        for name in (
            *("ID", "Group", "order", r"Margin\ %", "is_deleted", r"Rules\x2c\ all", "key", "payload", "class"),
            "updatedAt",
        )
    ]
    _holds(admin)


TWINS = (
    "error: contract Orders: columns Group and group of crm.order differ in capitals only, and Debezium follows no "
    "such table; rename one of them at the source, or remove the contract"
)
SENT = {
    **{"ID": 1, "key": "k1", "Group": "ab", "class": "x", "order": 10, "payload": 7, "Margin %": "1.50"},
    **{"updatedAt": "2026-01-02T10:10:00+00:00", "Rules, all": '{"b": [2], "a %": 1}', "is_deleted": True},
}


def _holds(admin: psycopg.Connection) -> None:
    """Check the table, its history and its touched days."""
    rows = admin.execute(
        'select order_id, "Group", "order", margin::text, was_deleted, rules, key, payload, class, is_deleted '
        'from core."Orders" order by 1'
    ).fetchall()
    assert rows == [
        (1, "ab", 10, "1.50", True, {"a %": 1, "b": [2]}, "k1", 7, "x", False),
        (2, "test it", 20, "2.50", False, {"a %": 2}, "k2", 8, "y", False),
        (3, "42", 30, None, None, None, "k3", None, None, False),
        (4, "gone", 40, None, None, None, "k4", None, None, True),
    ]
    history = (
        'select order_id, "Group", rules, valid_to = \'infinity\' from core."Orders_history" order by 1, valid_from'
    )
    assert admin.execute(history).fetchall() == [
        (1, "old", {"a %": 1, "b": [2]}, False),
        (1, "ab", {"a %": 1, "b": [2]}, True),
        (2, "test it", {"a %": 2}, True),
        (3, "42", None, True),
        (4, "gone", None, True),
    ]
    touched = admin.execute("select entity_id, day::text from ops.touched where core_table = 'Orders' order by 1")
    assert touched.fetchall() == [(f"k{number}", "2026-01-02") for number in range(1, 5)]

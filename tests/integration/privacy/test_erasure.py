"""A person is erased: from every table, permanently, and nobody else is."""

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from promptsales.cli.load import load_feed
from promptsales.errors import ConfigError, Fenced, TransientError
from promptsales.load.steps import check, extract, load, publish
from promptsales.privacy import erasure, rotation
from promptsales.privacy.person import FOLLOWED, ListedRow, Person, find
from promptsales.settings import ROOT, Settings
from promptsales.specs.feed import contract
from tests.integration.privacy.test_rotation import ALWAYS
from tests.support import keys, leads

LEADS = contract("leads")
NOBODY = uuid.UUID(int=0)


def ask(admin: psycopg.Connection, asked: object, feed: str | None = None, follow: frozenset[str] = FOLLOWED) -> Person:
    return find(admin, str(asked), feed, follow)


def erase(admin: psycopg.Connection, asked: object, feed: str | None = None) -> erasure.Report:
    return erasure.erase(admin, ask(admin, asked, feed))


def whole(admin: psycopg.Connection) -> str:
    """Return every row of the warehouse as text, except the lists that keep the person out."""
    tables = admin.execute(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
        "where schemaname in ('staging', 'core', 'realtime', 'marts', 'ops') and tablename <> 'suppression'"
    ).fetchall()
    return repr([admin.execute(f"select t::text from {table} t").fetchall() for (table,) in tables])  # noqa: S608


def suppressed(admin: psycopg.Connection) -> dict[str, Any]:
    return dict(admin.execute("select key, person_hmac from ops.suppression where feed = 'leads'").fetchall())


@pytest.mark.parametrize("by", ["ann", "again", "phone", "bad", "hash", "hash as bytea"])
def test_a_person_is_gone_and_followed(
    stack: Settings, admin: psycopg.Connection, family: dict[str, uuid.UUID], by: str
) -> None:
    digest = keys.email_hmac(stack, 1, "ann@example.com")
    asked = {"hash": digest.hex(), "hash as bytea": f"\\x{digest.hex().upper()}"}.get(by) or str(family[by])
    report = erase(admin, asked)

    text = whole(admin)
    hers = [str(key) for name, key in family.items() if name != "bob"]
    assert [needle for needle in (*hers, digest.hex(), repr(digest)[2:-1]) if needle in text] == []
    assert (report.left, report.tables > 15, report.needles > 8) == (0, True, True)
    assert suppressed(admin).keys() == set(hers)
    assert suppressed(admin)[str(family["ann"])] == digest
    core = leads.in_core(admin)
    assert core.keys() == {family["bob"]}
    assert core[family["bob"]]["merged_into_id"] == NOBODY
    closed = admin.execute(
        "select key, payload, released_at is not null, release_reason from ops.quarantine"
    ).fetchall()
    assert closed == [("erased", {}, True, "suppressed")]
    # the marts rebuild the day without learning whose it was
    assert ("leads", "*") in admin.execute("select core_table, entity_id from ops.touched").fetchall()


def test_what_would_be_erased_is_listed_first(admin: psycopg.Connection, family: dict[str, uuid.UUID]) -> None:
    assert ask(admin, family["ann"]).listed == sorted([
        ListedRow("leads", str(family["ann"]), "core", "its id"),
        ListedRow("leads", str(family["again"]), "core", "a hash it shares"),
        ListedRow("leads", str(family["phone"]), "core", "a hash it shares"),
        ListedRow("leads", str(family["bad"]), "quarantine", "a hash it shares"),
    ])  # fmt: skip
    without = {row.key for row in ask(admin, family["ann"], follow=FOLLOWED - {"phone_hmac"}).listed}
    assert without == {str(family[name]) for name in ("ann", "again", "bad")}
    assert leads.in_core(admin).keys() == {key for name, key in family.items() if name != "bad"}


@pytest.mark.parametrize("mode", ["window", "full", "changed", "new row"])
def test_no_load_brings_them_back(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
    mode: str,
) -> None:
    erase(admin, family["ann"])
    expected = 4
    # read all rows again, whatever the watermark's margin covers
    admin.execute("update ops.feed set last_sync_timestamp = null")
    if mode == "changed":
        crm.execute("update crm.leads set email = 'new@example.com', score = 9 where id = %(ann)s", family)
    elif mode == "new row":
        leads.add(crm, 1, email="ann@example.com")
        expected = 5
    result = load(LEADS, source, warehouse, ALWAYS if mode == "window" else None, "test")
    assert (result.suppressed, result.extracted) == (expected, expected + 1)
    core = leads.in_core(warehouse)
    assert core.keys() == {family["bob"]}
    assert core[family["bob"]]["merged_into_id"] == NOBODY
    assert leads.in_quarantine(warehouse) == set()


def test_suppression_holds_under_a_new_key(
    stack: Settings,
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
) -> None:
    erase(admin, family["ann"])
    rotation.rotate(stack, 30, lambda feed: load_feed(feed, None, "test"), lambda what: None)
    assert leads.in_core(warehouse).keys() == {family["bob"]}
    # the rows are as they were when they were erased, so a load could learn the new hash from them
    assert suppressed(admin)[str(family["ann"])] == keys.email_hmac(stack, 2, "ann@example.com")
    leads.add(crm, 1, email="ann@example.com")
    load(LEADS, source, warehouse, None, "test")
    assert leads.in_core(warehouse).keys() == {family["bob"]}
    assert keys.email_hmac(stack, 1, "ann@example.com").hex() not in whole(admin)


def test_an_old_hash_finds_them_through_the_bridge(
    stack: Settings, admin: psycopg.Connection, family: dict[str, uuid.UUID]
) -> None:
    old = keys.email_hmac(stack, 1, "ann@example.com")
    rotation.rotate(stack, 30, lambda feed: load_feed(feed, None, "test"), lambda what: None)
    assert old.hex() in whole(admin)
    erase(admin, old.hex())
    assert leads.in_core(admin).keys() == {family["bob"]}
    assert [
        email_hash.hex()
        for kid in (1, 2)
        if (email_hash := keys.email_hmac(stack, kid, "ann@example.com")).hex() in whole(admin)
    ] == []


def test_a_load_in_flight_cannot_publish_them(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
) -> None:
    crm.execute("update crm.leads set score = 7")
    staged = extract(LEADS, source, warehouse, None, "in flight")
    audit = check(LEADS, warehouse, staged)
    erase(admin, family["ann"])
    with pytest.raises(Fenced):
        publish(LEADS, warehouse, staged, audit)
    load(LEADS, source, warehouse, None, "next")
    assert leads.in_core(warehouse).keys() == {family["bob"]}


def test_rows_that_came_after_the_list_stop_it(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    family: dict[str, uuid.UUID],
) -> None:
    listed = ask(admin, family["ann"])
    (new,) = leads.add(crm, 1, email="ann@example.com")
    load(LEADS, source, warehouse, None, "test")
    with pytest.raises(TransientError, match="rows have changed since they were listed"):
        erasure.erase(admin, listed)
    assert {new, family["ann"]} <= leads.in_core(warehouse).keys()
    assert suppressed(admin) == {}


def test_an_id_is_kept_out_before_it_ever_came(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    (lead,) = leads.add(crm, 1)
    with pytest.raises(ConfigError, match="pass its --feed"):
        ask(admin, lead)
    assert erase(admin, lead, "leads").changes == []
    assert load(LEADS, source, warehouse, None, "test").suppressed == 1
    assert leads.in_core(warehouse) == {}


@pytest.mark.parametrize("asked", ["ann@example.com", "Ann Example", "+44 20 7946", "12345"])
def test_clear_text_is_refused_and_not_repeated(admin: psycopg.Connection, asked: str) -> None:
    with pytest.raises(ConfigError, match="never an address") as caught:
        ask(admin, asked)
    assert asked not in str(caught.value)


def test_the_command(admin: psycopg.Connection, family: dict[str, uuid.UUID]) -> None:
    def promptsales(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("promptsales")), "pii", "erase", str(family["bob"]), *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, input="n\n")

    listed = json.loads(promptsales("--dry-run", "--json").stdout)
    assert listed == [{"feed": "leads", "key": str(family["bob"]), "place": "core", "found_by": "its id"}]
    assert promptsales().returncode == 1
    assert family["bob"] in leads.in_core(admin)
    result = promptsales("--yes")
    assert (result.returncode, "0 rows still hold one" in result.stdout) == (0, True)
    assert family["bob"] not in leads.in_core(admin)

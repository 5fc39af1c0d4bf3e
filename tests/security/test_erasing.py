"""An erasure takes one person: not the strangers who gave the same made-up address, and nothing of hers stays."""

import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

from promptsales.errors import ConfigError, TerminalError
from promptsales.load.steps import load
from promptsales.privacy import erasure
from promptsales.privacy.person import FOLLOWED, find
from promptsales.settings import ROOT, Settings
from promptsales.specs.feed import contract
from tests.support import keys, leads

LEADS = contract("leads")
SHARED = "none@none.com"
STRANGERS = 30


@pytest.fixture
def strangers(crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection) -> list[uuid.UUID]:
    """Add persons who typed the same address into a form, and load them."""
    added = leads.add(crm, STRANGERS, email=SHARED)
    load(LEADS, source, warehouse, None, "test")
    return added


def promptsales(*words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("promptsales")), "pii", "erase", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def suppressed(admin: psycopg.Connection) -> set[tuple[str, bytes | None]]:
    return set(admin.execute("select key, person_hmac from ops.suppression").fetchall())


def test_an_address_that_strangers_share_takes_none_of_them(
    stack: Settings, admin: psycopg.Connection, strangers: list[uuid.UUID]
) -> None:
    digest = keys.email_hmac(stack, 1, SHARED).hex()
    with pytest.raises(ConfigError) as refused:
        erasure.erase(admin, find(admin, str(strangers[0]), None))
    assert str(refused.value) == (
        f"this would erase 30 ids, more than 10: 30 share e-mail address {digest[:16]}..; nothing was erased; "
        "strangers may share a made-up address or a switchboard: leave it out (--no-follow-email), or pass --expect 30 "
        "if all of them are this person"
    )
    assert leads.in_core(admin).keys() == set(strangers)
    assert not suppressed(admin)


def test_the_command_shows_them_and_takes_the_number_it_showed(
    stack: Settings, admin: psycopg.Connection, strangers: list[uuid.UUID]
) -> None:
    asked = str(strangers[0])
    for words, error in (
        (["--yes"], "this would erase 30 ids, more than 10"),
        (["--dry-run"], "this would erase 30 ids, more than 10"),
        (["--yes", "--expect", "29"], "this would erase 30 ids, --expect says 29"),
    ):
        result = promptsales(asked, *words)
        lines = [line.split() for line in result.stdout.splitlines()]
        assert (result.returncode, error in result.stderr) == (1, True), result
        assert ["leads", "core", "30"] in lines
        assert ["e-mail", "address", keys.email_hmac(stack, 1, SHARED).hex(), "30"] in lines
    assert leads.in_core(admin).keys() == set(strangers)
    preview = promptsales(asked, "--dry-run", "--expect", "30")
    assert (preview.returncode, "ids to erase: 30" in preview.stdout) == (0, True), preview
    assert [line.split() for line in preview.stdout.splitlines() if line.strip().startswith("core.leads")] == [
        ["core.leads", "30"], ["core.leads_history", "30"]]  # fmt: skip
    assert leads.in_core(admin).keys() == set(strangers)
    assert promptsales(asked, "--yes", "--expect", "30").returncode == 0
    assert leads.in_core(admin) == {}


def test_one_of_them_is_erased_alone_and_no_load_takes_the_others(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
    strangers: list[uuid.UUID],
) -> None:
    erased, *others = strangers
    erasure.erase(admin, find(admin, str(erased), None, FOLLOWED - {"email_hmac"}))
    # the shared hash is not hers alone, so nobody else is recognised by it
    assert suppressed(admin) == {(str(erased), None)}
    crm.execute("update crm.leads set score = 5")
    load(LEADS, source, warehouse, None, "test")
    assert leads.in_core(warehouse).keys() == set(others)


def test_many_rows_need_the_number_too(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, admin: psycopg.Connection
) -> None:
    """An id that half the CRM names, such as the owner of all leads, is not erased by accident."""
    leads.add(crm, 1001)
    load(LEADS, source, warehouse, None, "test")
    owner = find(admin, str(leads.OWNER), "users")
    with pytest.raises(ConfigError) as refused:
        erasure.erase(admin, owner)
    assert (
        "this would delete or change 1001 rows of core and realtime, more than 1000: 1001 of core.leads; nothing"
        in str(refused.value)
    )
    assert {row["owner_user_id"] for row in leads.in_core(admin).values()} == {leads.OWNER}
    erasure.erase(admin, owner, expect=1)
    assert {row["owner_user_id"] for row in leads.in_core(admin).values()} == {uuid.UUID(int=0)}


def test_a_bulk_mistake_at_the_source_does_not_erase_everybody(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    admin: psycopg.Connection,
) -> None:
    """An update without its condition gives all leads the address of an erased person."""
    (erased, *others) = [leads.add(crm, email=f"{number}@example.com")[0] for number in range(12)]
    load(LEADS, source, warehouse, None, "test")
    erasure.erase(admin, find(admin, str(erased), None))
    crm.execute("update crm.leads set email = '0@example.com'")
    with pytest.raises(TerminalError) as refused:
        load(LEADS, source, warehouse, None, "test")
    assert str(refused.value) == (
        "feed leads: 11 rows that core holds now have the e-mail hash of an erased person, more than 10; nothing was "
        "erased or loaded; correct the address at the source, or run `promptsales pii erase` for each of their ids"
    )
    assert leads.in_core(warehouse).keys() == set(others)
    assert {key for key, _ in suppressed(admin)} == {str(erased)}
    # new rows with the address are kept out, however many they are; and one that was corrected is loaded
    crm.execute("update crm.leads set email = 'x@example.com' where id <> %s", [erased])
    added = leads.add(crm, 11, email="0@example.com")
    assert load(LEADS, source, warehouse, None, "test").suppressed == 12
    assert leads.in_core(warehouse).keys() == set(others)
    assert {key for key, _ in suppressed(admin)} == {str(erased), *map(str, added)}

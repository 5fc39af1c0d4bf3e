"""The hashing view equals an independent HMAC, and its reader gets nothing else."""

import hashlib
import hmac
import re
import unicodedata
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from promptsales.errors import ConfigError
from promptsales.provision import provision_database
from promptsales.specs.feed import contract
from tests.integration.provision.conftest import KEY, Connect

SPACE = " \t\n\r\f\v"
LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
Hashes = tuple[bytes | None, bool | None, bytes | None, bytes | None]


def hashed(domain: str, value: str) -> bytes | None:
    return hmac.new(KEY, domain.encode() + b"\0" + value.encode(), hashlib.sha256).digest() if value else None


def expected(email: str | None, phone: str | None, click_id: str | None) -> Hashes:
    normal = unicodedata.normalize("NFC", email or "").strip(SPACE).translate(LOWER)
    digits = "".join(re.findall("[0-9]", phone or ""))
    return (
        hashed("email", normal),
        bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", normal, re.ASCII)) if normal else None,
        hashed("phone", f"+{digits}" if digits else ""),
        hashed("click_id", (click_id or "").strip(SPACE)),
    )


@pytest.fixture(scope="module")
def owner(crm_copy: Connect) -> Iterator[psycopg.Connection]:
    with crm_copy("promptcrm_owner") as connection:
        yield connection


@pytest.fixture(scope="module")
def reader(crm_copy: Connect) -> Iterator[psycopg.Connection]:
    with crm_copy("etl_reader") as connection:
        yield connection


TEXT = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
EMAILS = TEXT | st.text("aAzZ @.+\t\n\u00e9\u0301\u0130\u017f", max_size=30)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(email=EMAILS, phone=TEXT.map(lambda text: text and text[:32]), click_id=TEXT)
@example(email="Jane.Doe+tag@Example.COM", phone="+49 (0)30 / 12 34", click_id=" gclid-1 ")
@example(email="\t Jane@Example.com \r\n", phone="٠١٢", click_id="\t")
@example(email="jose\u0301@example.com", phone="", click_id="")  # NFD; must equal the next one
@example(email="jos\u00e9@example.com", phone=" ", click_id=None)
@example(email="ÉMILE@EXAMPLE.COM", phone="abc", click_id="a b")  # only A-Z are lowered
@example(email="a@b@c.de", phone="1", click_id="\u00a0x\u00a0")  # NBSP is not an ASCII space
@example(email="@", phone=None, click_id=None)
@example(email="   ", phone=None, click_id=None)
@example(email="a@b\u00a0.c", phone=None, click_id=None)
@example(email="a@b.c\n d", phone=None, click_id=None)
def test_view_hashes_as_python_does(
    owner: psycopg.Connection, reader: psycopg.Connection, email: str | None, phone: str | None, click_id: str | None
) -> None:
    key = uuid.uuid4()
    owner.execute(
        "insert into crm.leads (id, owner_user_id, email, phone, click_id) values (%s, %s, %s, %s, %s)",
        [key, key, email, phone, click_id],
    )
    query = """
        select email_hmac, is_email_valid, phone_hmac, click_id_hmac, pii_kid
        from etl.leads where lead_id = %s
    """
    assert reader.execute(query, [key]).fetchone() == (*expected(email, phone, click_id), 1)


def test_view_has_the_columns_of_the_contract(reader: psycopg.Connection) -> None:
    described = reader.execute("select * from etl.leads limit 0").description
    assert tuple(column.name for column in described or ()) == contract("leads").column_names


def test_key_check(reader: psycopg.Connection) -> None:
    keys = reader.execute("select kid, check_hmac from etl.pii_key").fetchall()
    assert keys == [(1, hmac.digest(KEY, b"check\0promptsales", "sha256"))]


def test_view_uses_the_cursor_index(crm_copy: Connect) -> None:
    with crm_copy("etl_reader") as connection:
        connection.execute("set enable_seqscan = off")
        plan = connection.execute("explain select * from etl.leads where updated_at >= now()").fetchall()
    assert any("leads_cursor" in line for (line,) in plan)


@pytest.mark.parametrize(
    "statement",
    [
        "select 1 from crm.leads",
        "select email from crm.leads",
        "select 1 from etl.pii_pad",
        "copy etl.pii_pad to stdout",
        "copy crm.leads to stdout",
        "select 1 from migrations.applied",
        "create table etl.mine ()",
        "create schema mine",
        "create temporary table mine ()",
        "set role etl_owner",
        "set role etl_frontier",
        "select pg_read_file('postgresql.conf')",
    ],
)
def test_reader_is_refused(crm_copy: Connect, statement: str) -> None:
    with crm_copy("etl_reader") as connection:
        connection.execute("set default_transaction_read_only = off")  # the view is convenient; the grants protect
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute(statement.encode())


def test_reader_is_read_only_by_default(reader: psycopg.Connection) -> None:
    assert reader.execute("show default_transaction_read_only").fetchone() == ("on",)


def test_reader_does_not_see_what_others_do(crm_copy: Connect, reader: psycopg.Connection) -> None:
    with crm_copy("promptcrm_owner") as application:
        application.execute("select 'jane@example.com'")
        queries = reader.execute(
            "select query from pg_stat_activity where query like %s", ["%jane%example%"]
        ).fetchall()
        assert [query for (query,) in queries if "pg_stat_activity" not in query] == []


def test_application_does_not_see_the_key(owner: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("select inner_pad from etl.pii_pad")


def test_another_key_of_the_same_number_is_refused(crm_copy: Connect) -> None:
    admin = crm_copy("postgres")
    with pytest.raises(ConfigError, match="pii_key_1 is not the key that database promptcrm hashes with") as caught:
        provision_database(admin, "promptcrm", {1: KEY[::-1]})
    assert KEY[::-1].hex() not in str(caught.value)
    assert provision_database(admin, "promptcrm", {1: KEY}) == []


def test_a_second_key_waits_for_its_rotation(crm_copy: Connect) -> None:
    admin = crm_copy("postgres")
    assert provision_database(admin, "promptcrm", {1: KEY, 2: KEY[::-1]}) == []
    assert admin.execute("select kid from etl.pii_pad").fetchall() == [(1,)]


def test_without_an_active_key_there_is_no_hash_and_it_shows(crm_copy: Connect, reader: psycopg.Connection) -> None:
    admin = crm_copy("postgres")
    with admin.transaction():
        admin.execute("update etl.pii_pad set is_active = false")
    try:
        assert reader.execute("select * from etl.pii_key").fetchall() == []
    finally:
        admin.execute("update etl.pii_pad set is_active = true where kid = 1")


def test_a_changed_contract_remakes_the_view_and_a_gone_one_drops_it(crm_copy: Connect) -> None:
    admin = crm_copy("postgres")
    admin.execute("comment on view etl.leads is 'of another contract'")
    admin.execute("create view etl.forgotten as select 1 as one")
    assert [change.what for change in provision_database(admin, "promptcrm")] == [
        "view etl.forgotten dropped: no contract names it",
        "view etl.leads recreated",
    ]
    assert provision_database(admin, "promptcrm") == []


def test_a_relation_that_no_longer_fits_is_refused_and_the_view_stays(
    crm_copy: Connect, reader: psycopg.Connection
) -> None:
    admin = crm_copy("postgres")
    admin.execute("alter table crm.leads rename column company_name to company")
    try:
        with pytest.raises(ConfigError, match=r"crm\.leads has no column company_name"):
            provision_database(admin, "promptcrm")
    finally:
        admin.execute("alter table crm.leads rename column company to company_name")
    assert reader.execute("select count(*) > 0 from etl.leads").fetchone() == (True,)

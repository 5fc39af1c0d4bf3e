"""Hashed text does not depend on the database's settings: a date, an interval, bytes, a fraction, an accent."""

import hmac

import psycopg
import pytest

from promptsales.connections import connected
from promptsales.provision.views import source_types, view_script
from promptsales.settings import Settings
from promptsales.specs.feed import Contract, contract
from tests.integration.provision.conftest import KEY, Connect

TABLE = b"""
    create table crm.odd (
        id uuid, updated_at timestamptz, born date, seen timestamptz, waited interval, token bytea, ratio float8,
        city text
    );
    insert into crm.odd (born, seen, waited, token, ratio, city)
    values ('2024-02-01', '2024-02-01 03:04:05Z', '1 day 02:00', '\\x00ff', 0.1, 'Orl\xc3\xa9ans');
"""
TEXTS = {
    "born": "2024-02-01",
    "seen": "2024-02-01 03:04:05+00",
    "waited": "1 day 02:00:00",
    "token": r"\x00ff",
    "ratio": "0.1",
    "city": "Orl\u00e9ans",
}
FOREIGN = (
    "DateStyle = SQL, DMY",
    "IntervalStyle = iso_8601",
    "TimeZone = 'America/New_York'",
    "bytea_output = escape",
    "extra_float_digits = -15",
    "client_encoding = LATIN1",
)


def _feed() -> Contract:
    """Return a feed that hashes each of these columns."""
    plain = {"id": "uuid", "updated_at": "timestamp with time zone"}
    columns = [{"name": name, "type": kind, "pii": "none", "description": ""} for name, kind in plain.items()]
    hashed = {"type": "bytea", "transform": "click_id_hmac", "pii": "pseudonymous", "description": ""}
    columns += [{"name": f"{name}_hmac", "source": name, **hashed} for name in TEXTS]
    columns += [{"name": "pii_kid", "type": "integer", "transform": "pii_kid", "pii": "none", "description": ""}]
    like = contract("leads").model_dump() | {"history": (), "touched": None, "unread": (), "columns": columns}
    source = {"system": "promptcrm", "relation": "crm.odd"}
    return Contract.model_validate(like | {"table": "odd", "key": "id", "source": source})


def _hashes(connection: psycopg.Connection) -> tuple[bytes, ...]:
    query = f"select {', '.join(f'{name}_hmac' for name in TEXTS)} from etl.odd"  # noqa: S608 - names of this module
    (hashes,) = connection.execute(query.encode()).fetchall()
    return tuple(map(bytes, hashes))


@pytest.mark.parametrize("whose", ["role etl_reader in database {}", "database {}"])
def test_values_are_hashed_as_the_same_text(stack: Settings, crm_copy: Connect, whose: str) -> None:
    feed = _feed()
    with crm_copy("postgres") as admin:
        name = admin.info.dbname
        admin.execute(TABLE)
        admin.execute(view_script(feed, source_types(admin, feed)))
        try:
            for setting in FOREIGN:
                admin.execute(f"alter {whose.format(name)} set {setting}".encode())
            with connected(stack, "promptcrm_etl", name) as reader:
                hashes = _hashes(reader)
        finally:
            admin.execute(f"alter {whose.format(name)} reset all".encode())
            admin.execute("drop table crm.odd cascade")
    assert hashes == tuple(hmac.digest(KEY, b"click_id\0" + text.encode(), "sha256") for text in TEXTS.values())

"""Whoever reads core learns no employer of a person from a hash: no hash is that of a domain.

The attack is a join. Contacts are linked to accounts, whose domain is text, so each hash of a domain has its clear
text beside it, and every lead with the same hash works there.
"""

import uuid
from itertools import product

import psycopg
import pytest
from psycopg import sql

from promptsales.cli.load import load_feed
from promptsales.specs.feed import contract
from tests.support import leads

PAIRS = tuple(product(contract("contacts").hashed_columns, contract("leads").hashed_columns))


def learn_employers(warehouse: psycopg.Connection) -> set[tuple[str, str, uuid.UUID, str]]:
    """Return the leads whose employer a reader of core learns by an equal hash, with the two columns and the domain."""
    query = sql.SQL("""
        select %s, %s, l.lead_id, a.domain
        from core.accounts a join core.contacts c using (account_id) join core.leads l on l.{lead} = c.{contact}
    """)
    return {
        row
        for contact, lead in PAIRS
        for row in warehouse.execute(
            query.format(contact=sql.Identifier(contact), lead=sql.Identifier(lead)), [contact, lead]
        ).fetchall()
    }


@pytest.mark.usefixtures("stack")
def test_a_hash_names_no_employer(crm: psycopg.Connection, warehouse: psycopg.Connection) -> None:
    (known, _) = leads.add(crm, 1, email="ann@acme.example") + leads.add(crm, 1, email="bob@acme.example")
    (account,) = crm.execute(
        "insert into crm.accounts (owner_user_id, name, domain) values (%s, 'Acme', 'acme.example') returning id",
        [leads.OWNER],
    ).fetchone() or (None,)
    crm.execute(
        "insert into crm.contacts (owner_user_id, account_id, email) values (%s, %s, 'Ann@acme.example')",
        [leads.OWNER, account],
    )
    for feed in ("accounts", "contacts", "leads"):
        load_feed(contract(feed), None, "test")
    # an equal address is the same person, who is the account's contact anyway
    assert learn_employers(warehouse) == {("email_hmac", "email_hmac", known, "acme.example")}

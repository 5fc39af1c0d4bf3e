"""Leads at the source, and the rows that the warehouse must have of them."""

import uuid
from typing import Any

import psycopg

from promptsales.settings import Settings
from tests.support.feeds import FEEDS

OWNER = uuid.UUID(int=1)
LEADS = FEEDS["leads"]


def add(crm: psycopg.Connection, count: int = 1, **columns: Any) -> list[uuid.UUID]:
    """Insert leads with the given columns, and return their ids."""
    values = {"owner_user_id": OWNER, "email": "lead@example.com", **columns}
    names = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    query = f"insert into crm.leads ({names}) select {marks} from generate_series(1, {count}) returning id"  # noqa: S608
    return [row[0] for row in crm.execute(query, values).fetchall()]


def add_bad(crm: psycopg.Connection, count: int = 1) -> list[uuid.UUID]:
    """Insert leads that the source accepts and the suite does not: created after they were changed."""
    return add(crm, count, created_at="2039-01-01")


def in_core(warehouse: psycopg.Connection) -> dict[uuid.UUID, dict[str, Any]]:
    """Return every lead of core, without the pipeline's own columns."""
    return LEADS.in_core(warehouse)


def in_quarantine(warehouse: psycopg.Connection) -> set[uuid.UUID]:
    """Return the keys of open rows in quarantine."""
    return LEADS.in_quarantine(warehouse)


def expected(crm: psycopg.Connection, settings: Settings, kid: int) -> dict[uuid.UUID, dict[str, Any]]:
    """Return every lead of the source as core must hold it under one of the keys, hashed with Python's hmac."""
    return LEADS.expected(crm, bytes.fromhex(settings.secrets.password(f"pii_key_{kid}")), kid=kid)


def assert_equal_to_source(
    crm: psycopg.Connection, warehouse: psycopg.Connection, settings: Settings, kid: int = 1
) -> None:
    """Check that core and quarantine together equal the source, and that current versions equal core."""
    LEADS.assert_equal_to_source(crm, warehouse, settings, kid)

"""Leads at the source, and what the warehouse must show of them, computed without the code under test."""

import hashlib
import hmac
import re
import unicodedata
import uuid
from typing import Any

import psycopg
from psycopg.rows import dict_row

from promptsales.settings import Settings

OWNER = uuid.UUID(int=1)
WHITE_SPACE = " \t\n\r\f\v"
AS_THEY_ARE = [
    "owner_user_id",
    "company_name",
    "job_title",
    "country_code",
    "score",
    "lead_source",
    "campaign_id",
    "ad_id",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "status",
    "qualified_at",
    "disqualified_at",
    "disqualified_reason",
    "converted_at",
    "converted_account_id",
    "converted_contact_id",
    "converted_opportunity_id",
    "merged_into_id",
    "created_at",
    "updated_at",
    "deleted_at",
]


def add(crm: psycopg.Connection, count: int = 1, **columns: Any) -> list[uuid.UUID]:
    """Insert leads with the given columns; returns their ids."""
    values = {"owner_user_id": OWNER, "email": "lead@example.com", **columns}
    names = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    query = f"insert into crm.leads ({names}) select {marks} from generate_series(1, {count}) returning id"  # noqa: S608
    return [row[0] for row in crm.execute(query, values).fetchall()]


def add_bad(crm: psycopg.Connection, count: int = 1) -> list[uuid.UUID]:
    """Insert leads that the source allows and the suite does not: created after they were changed."""
    return add(crm, count, created_at="2999-01-01")


def _digest(key: bytes, domain: str, value: str | None) -> bytes | None:
    if not value:
        return None
    return hmac.new(key, domain.encode() + b"\0" + value.encode(), hashlib.sha256).digest()


def _email(value: str | None) -> str | None:
    if value is None:
        return None
    text = unicodedata.normalize("NFC", value).strip(WHITE_SPACE)
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text) or None


def expected(crm: psycopg.Connection, settings: Settings, kid: int = 1) -> dict[uuid.UUID, dict[str, Any]]:
    """Every lead of the source as core must hold it, hashed by Python's own hmac."""
    key = bytes.fromhex(settings.secrets.password(f"pii_key_{kid}"))
    with crm.cursor(row_factory=dict_row) as cursor:
        return {row["id"]: _expected(row, key, kid) for row in cursor.execute("select * from crm.leads")}


def _expected(row: dict[str, Any], key: bytes, kid: int) -> dict[str, Any]:
    email = _email(row["email"])
    digits = re.sub("[^0-9]", "", row["phone"] or "")
    return {
        "lead_id": row["id"],
        "email_hmac": _digest(key, "email", email),
        "email_domain_hmac": _digest(key, "email_domain", email.rpartition("@")[2] if email and "@" in email else None),
        "is_email_valid": None if email is None else bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email)),
        "phone_hmac": _digest(key, "phone", f"+{digits}" if digits else None),
        "click_id_hmac": _digest(key, "click_id", (row["click_id"] or "").strip(WHITE_SPACE)),
        "pii_kid": kid,
        **{name: row[name] for name in AS_THEY_ARE},
    }


def in_core(warehouse: psycopg.Connection) -> dict[uuid.UUID, dict[str, Any]]:
    """Every lead of core, without the pipeline's own columns."""
    with warehouse.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from core.leads").fetchall()
    return {row["lead_id"]: {name: value for name, value in row.items() if not name.startswith("_")} for row in rows}


def in_quarantine(warehouse: psycopg.Connection) -> set[uuid.UUID]:
    """Keys of the open rows."""
    rows = warehouse.execute("select key::uuid from ops.quarantine where feed = 'leads' and released_at is null")
    return {key for (key,) in rows}


def assert_equal_to_source(
    crm: psycopg.Connection, warehouse: psycopg.Connection, settings: Settings, kid: int = 1
) -> None:
    """Core and quarantine together equal the source, row by row; history's current versions equal core."""
    source, core, held = expected(crm, settings, kid), in_core(warehouse), in_quarantine(warehouse)
    assert {key: row for key, row in core.items() if key not in held} == {
        key: row for key, row in source.items() if key not in held
    }
    assert held <= source.keys()
    _assert_history(warehouse, core)


def _assert_history(warehouse: psycopg.Connection, core: dict[uuid.UUID, dict[str, Any]]) -> None:
    current = warehouse.execute(
        "select lead_id, status, campaign_id from core.leads_history where valid_to = 'infinity'"
    ).fetchall()
    assert sorted(current) == sorted((key, row["status"], row["campaign_id"]) for key, row in core.items())
    gaps = warehouse.execute(
        """
        select count(*) from (
            select valid_from, lag(valid_to, 1, '-infinity') over (partition by lead_id order by valid_from) as before
            from core.leads_history
        ) x where valid_from <> before
        """
    ).fetchone()
    assert gaps == (0,)

"""The rows that the warehouse must have of each polled table, computed from the source without the code under test."""

import hashlib
import hmac
import re
import unicodedata
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from promptsales.settings import Settings

WHITE_SPACE = " \t\n\r\f\v"
Rows = dict[Any, dict[str, Any]]


@dataclass(frozen=True)
class Feed:
    """A core table: its name, its source, and the columns that are computed from those of the source."""

    table: str
    system: str
    relation: str
    key: str
    plain: str
    renamed: dict[str, str] = field(default_factory=dict)
    hashed: tuple[str, ...] = ()
    history: tuple[str, ...] = ()

    def expected(
        self, source: psycopg.Connection, key: bytes, only: Collection[uuid.UUID] | None = None, kid: int = 1
    ) -> Rows:
        """Return every row of the source (or those named) as core must hold it, hashed with Python's hmac."""
        query = sql.SQL("select * from {} where %(all)s or id = any(%(only)s)").format(
            sql.Identifier(*self.relation.split("."))
        )
        with source.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query, {"all": only is None, "only": list(only or [])}).fetchall()
        return {row["id"]: self._expected(row, key, kid) for row in rows}

    def _expected(self, row: dict[str, Any], key: bytes, kid: int) -> dict[str, Any]:
        made = {self.key: row["id"]}
        for name in self.plain.split():
            made[name] = _utc(row[name])
        for name, origin in self.renamed.items():
            made[name] = _utc(row[origin])
        for origin in self.hashed:
            made |= _HASHED[origin](row[origin], key)
        return made | ({"pii_kid": kid} if self.hashed else {})

    def in_core(self, warehouse: psycopg.Connection, only: Collection[uuid.UUID] | None = None) -> Rows:
        """Return every row of core (or those named), without the pipeline's own columns."""
        query = sql.SQL("select * from {} where %(all)s or {} = any(%(only)s)").format(
            sql.Identifier("core", self.table), sql.Identifier(self.key)
        )
        with warehouse.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query, {"all": only is None, "only": list(only or [])}).fetchall()
        return {row[self.key]: {name: row[name] for name in row if not name.startswith("_")} for row in rows}

    def in_quarantine(self, warehouse: psycopg.Connection) -> set[uuid.UUID]:
        """Return the keys of open rows in quarantine."""
        query = "select key::uuid from ops.quarantine where feed = %s and released_at is null"
        return {key for (key,) in warehouse.execute(query, [self.table])}

    def assert_equal_to_source(
        self, source: psycopg.Connection, warehouse: psycopg.Connection, settings: Settings, kid: int = 1
    ) -> None:
        """Check that core and quarantine together equal the source, and that current versions equal core."""
        key = bytes.fromhex(settings.secrets.password(f"pii_key_{kid}"))
        source_rows, core, held = (
            self.expected(source, key, kid=kid),
            self.in_core(warehouse),
            self.in_quarantine(warehouse),
        )
        assert {key: row for key, row in core.items() if key not in held} == {
            key: row for key, row in source_rows.items() if key not in held
        }
        assert held <= source_rows.keys()
        if self.history:
            self._assert_history(warehouse, core)

    def versions(self, warehouse: psycopg.Connection) -> dict[uuid.UUID, list[tuple[Any, ...]]]:
        """Return the listed columns of every version, by key, in the order of time."""
        query = sql.SQL("select {} from {} order by valid_from").format(
            sql.SQL(", ").join(map(sql.Identifier, (self.key, *self.history))),
            sql.Identifier("core", f"{self.table}_history"),
        )
        history: dict[uuid.UUID, list[tuple[Any, ...]]] = {}
        for key, *values in warehouse.execute(query):
            history.setdefault(key, []).append(tuple(values))
        return history

    def _assert_history(self, warehouse: psycopg.Connection, core: Rows) -> None:
        """Check that the last version equals core, that consecutive versions differ, and that there are no gaps."""
        versions = self.versions(warehouse)
        assert {key: rows[-1] for key, rows in versions.items()} == {
            key: tuple(row[name] for name in self.history) for key, row in core.items()
        }
        assert all(a != b for rows in versions.values() for a, b in pairwise(rows))
        gaps = sql.SQL("""
            select count(*) from (
                select valid_from, lag(valid_to, 1, '-infinity') over w as before,
                       valid_to, lead(valid_from, 1, 'infinity') over w as after
                from {history} window w as (partition by {key} order by valid_from)
            ) x where valid_from <> before or valid_to <> after
        """)
        table = sql.Identifier("core", f"{self.table}_history")
        assert warehouse.execute(gaps.format(history=table, key=sql.Identifier(self.key))).fetchone() == (0,)


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _digest(key: bytes, domain: str, value: str | None) -> bytes | None:
    if not value:
        return None
    return hmac.new(key, domain.encode() + b"\0" + value.encode(), hashlib.sha256).digest()


def _email(value: str | None, key: bytes) -> dict[str, Any]:
    text = unicodedata.normalize("NFC", value or "").strip(WHITE_SPACE)
    text = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)
    return {
        "email_hmac": _digest(key, "email", text),
        "is_email_valid": bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text)) if text else None,
    }


def _phone(value: str | None, key: bytes) -> dict[str, Any]:
    digits = re.sub("[^0-9]", "", value or "")
    return {"phone_hmac": _digest(key, "phone", f"+{digits}" if digits else None)}


def _click_id(value: str | None, key: bytes) -> dict[str, Any]:
    return {"click_id_hmac": _digest(key, "click_id", (value or "").strip(WHITE_SPACE))}


_HASHED = {"email": _email, "phone": _phone, "click_id": _click_id}
_TIMES = "created_at updated_at deleted_at"

FEEDS = {
    feed.table: feed
    for feed in (
        Feed("users", "promptsales", "promptsales.users", "user_id", f"role {_TIMES}", {}, ("email",), ("role",)),
        Feed(
            "subscriptions",
            "promptsales",
            "promptsales.subscriptions",
            "subscription_id",
            f"user_id plan_type status {_TIMES}",
            {"starts_at": "start_date", "ends_at": "end_date"},
            history=("status", "plan_type"),
        ),
        Feed(
            "accounts",
            "promptcrm",
            "crm.accounts",
            "account_id",
            f"owner_user_id name domain industry employee_count annual_revenue country_code account_type {_TIMES}",
            history=("account_type",),
        ),
        Feed(
            "contacts",
            "promptcrm",
            "crm.contacts",
            "contact_id",
            f"owner_user_id account_id job_title country_code email_opt_in consent_at {_TIMES}",
            hashed=("email", "phone"),
        ),
        Feed(
            "leads",
            "promptcrm",
            "crm.leads",
            "lead_id",
            "owner_user_id company_name job_title country_code score lead_source campaign_id ad_id "
            "utm_source utm_medium utm_campaign utm_content utm_term status qualified_at disqualified_at "
            "disqualified_reason converted_at converted_account_id converted_contact_id converted_opportunity_id "
            f"merged_into_id {_TIMES}",
            hashed=("email", "phone", "click_id"),
            history=("status", "campaign_id"),
        ),
        Feed(
            "pipeline_stages",
            "promptcrm",
            "crm.pipeline_stages",
            "stage_id",
            f"pipeline_code name position default_probability is_closed is_won is_active {_TIMES}",
        ),
        Feed(
            "opportunities",
            "promptcrm",
            "crm.opportunities",
            "opportunity_id",
            "owner_user_id account_id primary_contact_id source_lead_id campaign_id stage_id stage_entered_at amount "
            f"currency_code probability expected_close_date closed_at lost_reason merged_into_id {_TIMES}",
            history=("stage_id", "amount", "owner_user_id"),
        ),
        Feed(
            "activities",
            "promptcrm",
            "crm.activities",
            "activity_id",
            "owner_user_id activity_type direction lead_id contact_id account_id opportunity_id occurred_at due_at "
            f"completed_at duration_seconds {_TIMES}",
        ),
    )
}


@contextmanager
def as_application(settings: Settings, feed: Feed) -> Iterator[psycopg.Connection]:
    """Connect to a feed's system as its owner."""
    address = settings.address("promptcrm" if feed.system == "promptcrm" else "promptsales")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


@contextmanager
def as_pipeline(settings: Settings, feed: Feed) -> Iterator[psycopg.Connection]:
    """Connect to a feed's system as the pipeline does."""
    address = settings.address("promptcrm_etl" if feed.system == "promptcrm" else "promptsales_etl")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection

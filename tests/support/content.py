"""Documents of PromptContent, and the rows that the warehouse must have, computed without the code under test."""

import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from bson import Decimal128
from psycopg.rows import dict_row
from pymongo.database import Database

from promptsales.settings import Settings

USER = uuid.UUID(int=5)
MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)
Document = dict[str, Any]


def asset(**fields: Any) -> Document:
    """Return an asset that breaks no rule."""
    return {
        "project_id": "p-1",
        "type": "image",
        "url": "https://cdn.example/1.png",
        "metadata": {"width": 100, "height": 50.0, "format": "png", "size_bytes": 9_000_000_000},
        "tags": ["hero", "b2b"],
        "ai_generation_info": {"model": "m-1", "prompt_used": "Draw Zoë.", "generated_at": MORNING},
        "status": "draft",
        "created_at": MORNING,
        "updated_at": MORNING,
        "created_by_user_id": str(USER),
        "internal_note": "a field that no contract names",
        **fields,
    }


def prompt(**fields: Any) -> Document:
    """Return a prompt that breaks no rule."""
    return {
        "user_id": str(USER),
        "tool": "gpt-5",
        "input_prompt": "Write to zoe@example.com.",
        "output_response": "Dear Zoë \U0001f600",
        "tokens_used": 12,
        "cost": 0.1,
        "timestamp": MORNING,
        "asset_id": None,
        **fields,
    }


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _hash(settings: Settings, text: str | None) -> bytes | None:
    key = hmac.digest(bytes.fromhex(settings.secrets.password("pii_key_1")), b"key\0content", "sha256")
    return hmac.new(key, b"text\0" + text.encode(), hashlib.sha256).digest() if text else None


def _length(text: str | None) -> int | None:
    return None if text is None else len(text)


def _asset_row(document: Document, settings: Settings) -> Document:
    info, metadata = document.get("ai_generation_info") or {}, document.get("metadata") or {}
    user, prompt_used = document.get("created_by_user_id"), info.get("prompt_used")
    return {
        "asset_id": str(document["_id"]),
        "project_id": document.get("project_id"),
        "type": document["type"],
        "url": document.get("url"),
        "width": metadata.get("width"),
        "height": metadata.get("height"),
        "format": metadata.get("format"),
        "size_bytes": metadata.get("size_bytes"),
        "tags": document.get("tags"),
        "model": info.get("model"),
        "prompt_length": _length(prompt_used),
        "prompt_hmac": _hash(settings, prompt_used),
        "pii_kid": 1,
        "generated_at": _moment(info.get("generated_at")),
        "status": document["status"],
        "approved_at": _moment(document.get("approved_at")),
        "archived_at": _moment(document.get("archived_at")),
        "created_by_user_id": uuid.UUID(user) if user else None,
        "prompt_history_id": info.get("prompt_history_id") and str(info["prompt_history_id"]),
        "created_at": _moment(document["created_at"]),
        "updated_at": _moment(document["updated_at"]),
        "deleted_at": None,
    }


def _prompt_row(document: Document, settings: Settings) -> Document:
    cost = document.get("cost")
    exact = cost.to_decimal() if isinstance(cost, Decimal128) else None if cost is None else Decimal(str(cost))
    return {
        "prompt_id": str(document["_id"]),
        "user_id": uuid.UUID(document["user_id"]),
        "tool": document["tool"],
        "input_length": _length(document.get("input_prompt")),
        "input_hmac": _hash(settings, document.get("input_prompt")),
        "output_length": _length(document.get("output_response")),
        "output_hmac": _hash(settings, document.get("output_response")),
        "pii_kid": 1,
        "tokens_used": document.get("tokens_used"),
        "cost_amount": exact,
        "prompted_at": _moment(document["timestamp"]),
        "asset_id": document.get("asset_id") and str(document["asset_id"]),
        "deleted_at": None,
    }


_ROWS: dict[str, tuple[str, str, Callable[[Document, Settings], Document]]] = {
    "content_assets": ("content_assets", "asset_id", _asset_row),
    "prompts": ("prompt_history", "prompt_id", _prompt_row),
}


def expected(documents: Database[Document], settings: Settings, feed: str) -> dict[str, Document]:
    """Return every document of a feed's collection as core must hold it."""
    return rows_of(documents[_ROWS[feed][0]].find(), settings, feed)


def rows_of(documents: Iterable[Document], settings: Settings, feed: str) -> dict[str, Document]:
    """Return documents as core must hold them, by key."""
    _, key, make = _ROWS[feed]
    return {row[key]: row for row in (make(document, settings) for document in documents)}


def in_core(warehouse: psycopg.Connection, feed: str, deleted: bool = False) -> dict[str, Document]:
    """Return every living (or deleted) row of core, without the pipeline's own columns."""
    key = _ROWS[feed][1]
    with warehouse.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(f"select * from core.{feed} where (deleted_at is not null) = %s", [deleted])  # noqa: S608
        return {row[key]: {name: row[name] for name in row if not name.startswith("_")} for row in rows}


def in_quarantine(warehouse: psycopg.Connection, feed: str) -> dict[str, list[str]]:
    """Return the open rows of a feed in quarantine, and their rules."""
    query = "select key, rules from ops.quarantine where feed = %s and released_at is null"
    return dict(warehouse.execute(query, [feed]).fetchall())


def assert_equal_to_source(
    documents: Database[Document], warehouse: psycopg.Connection, settings: Settings, feed: str
) -> None:
    """Check that core and quarantine together equal the source, and that rows deleted there are marked so in core."""
    held = in_quarantine(warehouse, feed)
    source = expected(documents, settings, feed) if not held else _sound(documents, settings, feed, set(held))
    assert {key: row for key, row in in_core(warehouse, feed).items() if key not in held} == source


def _sound(documents: Database[Document], settings: Settings, feed: str, held: set[str]) -> dict[str, Document]:
    sound = (document for document in documents[_ROWS[feed][0]].find() if str(document["_id"]) not in held)
    return rows_of(sound, settings, feed)

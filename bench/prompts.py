"""Measure loads of documents from a collection or its change stream, through Kafka, into staging."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient

from bench import measured
from bench.measured import Timing
from promptsales.settings import Settings

BATCH = 5_000


def prompts(here: Settings, rows: int, tell: Callable[[str], None]) -> dict[str, Timing]:
    """Return the timings of a first load with a cursor, and of as many documents again from the change stream."""
    timings = {}
    with MongoClient[dict[str, Any]](here.address("promptcontent_admin")) as client:
        for way in ("cursor", "change stream"):
            tell(f"prompts, {way}")
            fill(client, rows)
            timings[way] = measured.load("prompts")
    return timings


def fill(client: MongoClient[dict[str, Any]], rows: int) -> None:
    """Add this many prompts of about a kilobyte."""
    history, now = client["promptcontent"]["prompt_history"], datetime.now(UTC)
    for first in range(0, rows, BATCH):
        history.insert_many(_prompt(first + number, now) for number in range(min(BATCH, rows - first)))


def _prompt(number: int, now: datetime) -> dict[str, Any]:
    return {
        "user_id": f"00000000-0000-4000-8000-{number % 1000:012}",
        "tool": "gpt-5",
        "input_prompt": f"Write ad number {number} for a shop. " * 10,
        "output_response": f"Here is number {number}. " * 20,
        "tokens_used": number % 4000,
        "cost": 0.01,
        "timestamp": now,
    }

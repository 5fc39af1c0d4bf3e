"""No prompt and no answer is in clear text anywhere: on a topic, in the warehouse, in a log, in a message."""

import logging
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from promptsales.extract.sources import Source
from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.e2e.test_no_personal_data import dump
from tests.support.bus import read_messages
from tests.support.content import asset, prompt

MARK = "zq8prompted"


def test_marked_prompts_stay_in_mongodb(
    stack: Settings,
    documents: Database[dict[str, Any]],
    content: Source,
    warehouse: psycopg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    text = f"Write to {MARK}@example.com."
    bad = {"tokens_used": -1}
    documents.prompt_history.insert_one(prompt(input_prompt=text, output_response=text, extra=text))
    documents.prompt_history.insert_one(prompt(input_prompt=text, output_response=text, extra=text, **bad))
    documents.content_assets.insert_one(asset(ai_generation_info={"model": "m", "prompt_used": text}, caption=text))
    with caplog.at_level(logging.DEBUG):
        results = [load(contract(feed), content, warehouse, None, "test") for feed in ("prompts", "content_assets")]
    assert [(result.inserted, result.quarantined) for result in results] == [(1, 1), (1, 0)]

    topics = b"".join(held.content for held in read_messages(stack))
    assert b"prompt_id" in topics, "the search itself fails: it finds no row on a topic"
    places = {"topics": topics, "warehouse": dump(stack, stack.address("warehouse_admin"))}
    assert [place for place, text in places.items() if MARK.encode() in text.lower()] == []
    assert MARK not in caplog.text.lower()

"""Documents as large as MongoDB allows: of a prompt only length and hash are read, other text has a limit."""

from typing import Any

import psycopg
from pymongo.database import Database

from promptsales.extract.sources import Source
from promptsales.load.steps import load
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support.content import assert_equal_to_source, asset, prompt

# as long as text may be, of characters that take six bytes each in a message
LONG = "\x01" * 16_384


def test_prompts_of_megabytes_and_assets_full_of_text(
    stack: Settings, documents: Database[dict[str, Any]], content: Source, warehouse: psycopg.Connection
) -> None:
    documents.prompt_history.insert_many([
        prompt(input_prompt="x" * 2_000_000, output_response="\u00e9" * 1_000_000),
        prompt(input_prompt="\U0001f600" * 3_900_000, output_response=None),
    ])  # fmt: skip
    texts = {"url": LONG, "tags": [LONG[:-1]], "metadata": {"format": LONG}}
    documents.content_assets.insert_one(
        asset(**texts, ai_generation_info={"model": LONG, "prompt_used": "x" * 9_000_000})
    )
    for feed, rows in (("prompts", 2), ("content_assets", 1)):
        assert load(contract(feed), content, warehouse, None, "test").inserted == rows
        assert_equal_to_source(documents, warehouse, stack, feed)

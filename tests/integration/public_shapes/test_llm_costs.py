"""A log of prompts: costs are doubles, Decimal128 and whole numbers, down to a quarter of a billionth of a dollar."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from bson import json_util
from pymongo.database import Database

from promptsales.extract.sources import Source
from promptsales.load.steps import load
from promptsales.specs.feed import contract
from tests.integration.marts.conftest import Build
from tests.integration.public_shapes.conftest import FILES, Show
from tests.support.core_rows import uid

MADE = datetime(2024, 3, 4, tzinfo=UTC)
USER = uid("u")
ASSET = {
    "_id": "a1", "project_id": "p", "type": "text_copy", "status": "draft", "created_at": MADE, "updated_at": MADE,
    "ai_generation_info": {"model": "gpt-4o"},
}  # fmt: skip
COSTS = {
    "p1": "0.1", "p2": "0.2", "p3": "3", "p4": "0.00000000025", "p5": "2", "p6": None,
    "p7": "0.00000000025", "p8": "0.00000000025", "p9": "0.000000000001", "p10": "0",
}  # fmt: skip


def test_costs_of_every_type_add_up(
    documents: Database[dict[str, Any]], content: Source, loader: psycopg.Connection, run: Build, show: Show
) -> None:
    lines = (FILES / "llm_prompts.jsonl").read_text(encoding="utf-8").splitlines()
    documents.prompt_history.insert_many({"user_id": USER, **json_util.loads(line)} for line in lines)
    documents.content_assets.insert_one(ASSET)
    assert load(contract("prompts"), content, loader, None, "test").inserted == 10
    assert load(contract("content_assets"), content, loader, None, "test").inserted == 1

    costs = loader.execute("select prompt_id, cost_amount from core.prompts").fetchall()
    assert dict(costs) == {key: None if cost is None else Decimal(cost) for key, cost in COSTS.items()}
    run("ai_cost_daily", "content_production_monthly")
    # p5 has no tokens and p6 no cost, so the price includes neither: 1000 * 3.30000000025 / 4000
    assert show("ai_cost_daily") == [
        ("2024-03-04", "GPT-4o", USER, "USD", "6", "4007", "5.300000000250", "4000", "3.300000000250", "0.825000000063",
         "825.0000000625"),
        ("2024-03-05", "Unknown", USER, "USD", "4", "4", "0.000000000501", "4", "0.000000000501", "0.000000125250",
         "0.0001252500"),
    ]  # fmt: skip
    assert show("content_production_monthly") == [
        ("2024-03-01", "GPT-4o", "Unknown", "USD", "0", "0", "0", "0", "0", None, "0", "0.000000000000", None, None,
         None, "5.300000000000"),
        ("2024-03-01", "GPT-4o", "text_copy", "USD", "1", "0", "0", "0", "1", None, "1", "0.000000000251",
         "0.000000000251", None, None, "0.000000000000"),
        ("2024-03-01", "Unknown", "Unknown", "USD", "0", "0", "0", "0", "0", None, "0", "0.000000000000", None, None,
         None, "0.000000000500"),
    ]  # fmt: skip

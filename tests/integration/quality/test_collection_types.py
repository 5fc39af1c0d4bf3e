"""A field that is written in two BSON types is reported; types that are read alike count as one."""

from typing import Any

import psycopg
from bson import Decimal128, Int64, ObjectId
from pymongo.database import Database

from promptsales.extract.mongo.reader import Content
from promptsales.extract.sources import Source
from promptsales.monitoring.collection_checks import check_types
from promptsales.specs.feed import contract
from tests.support.content import asset, prompt


def test_mixed_types_are_told(
    documents: Database[dict[str, Any]], content: Source, warehouse: psycopg.Connection
) -> None:
    assert isinstance(content, Content)
    prompts = contract("prompts")
    alike = [
        prompt(cost=cost, timestamp=moment)
        for cost in (1, Int64(2), 0.5, Decimal128("1"))
        for moment in ("2026-03-01T09:00:00Z", prompt()["timestamp"])
    ]
    documents.prompt_history.insert_many([*alike, *(prompt(asset_id="an asset") for _ in range(91))])
    assert check_types(prompts, content, warehouse) == {}
    # one of 99, with the field in 92 of them, is more than one in a hundred
    documents.prompt_history.insert_one(prompt(asset_id=ObjectId()))
    assert check_types(prompts, content, warehouse) == {"asset_id": {"string": 91, "objectId": 1}}

    documents.content_assets.insert_many(
        [asset(metadata={"width": width}) for width in (1, "wide", None)], bypass_document_validation=True
    )
    assert check_types(contract("content_assets"), content, warehouse) == {"metadata.width": {"number": 1, "string": 1}}
    recorded = warehouse.execute(
        "select feed, on_fail, is_success, unexpected_count from ops.check_result where rule = 'bson_types_mixed' "
        "order by check_result_id"
    ).fetchall()
    assert recorded == [
        ("prompts", "warn", True, 0),
        ("prompts", "warn", False, 1),
        ("content_assets", "warn", False, 1),
    ]

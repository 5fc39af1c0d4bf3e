"""Assets and prompts fit their validators; the cache fits its key spaces."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from promptsales.seed.planted import PLANTED
from promptsales.seed.promptcontent import assets, draft, prompts
from promptsales.seed.sessions import entries
from promptsales.seed.world import World
from promptsales.specs.collection import read_collections
from promptsales.specs.key_space import key_spaces

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "int": lambda value: isinstance(value, int),
    "double": lambda value: isinstance(value, float),
    "date": lambda value: isinstance(value, datetime),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    if "pattern" in schema:
        return isinstance(value, str) and re.search(schema["pattern"], value) is not None
    if "not" in schema:
        return not _fits(value, schema["not"])
    if "enum" in schema:
        return value in schema["enum"]
    if "not" in schema:
        return not (_fits(value, schema["not"]) and re.search(schema["not"]["pattern"], value))
    kinds = schema["bsonType"] if isinstance(schema["bsonType"], list) else [schema["bsonType"]]
    if not any(_TYPES[kind](value) for kind in kinds if kind in _TYPES):
        return False
    inside = schema.get("properties", {})
    return not isinstance(value, dict) or all(_fits(value[key], inside[key]) for key in value.keys() & inside.keys())


def test_documents_fit_their_validators(world: World) -> None:
    validators = {collection.collection: collection.validator for collection in read_collections()}
    fresh_prompt, fresh_asset = draft(world, 5_000, world.anchor)

    for asset in (*assets(world), fresh_asset):
        assert _fits(asset, validators["content_assets"])
        assert asset.keys() >= set(validators["content_assets"]["required"])
    for prompt in (*prompts(world), fresh_prompt):
        assert _fits(prompt, validators["prompt_history"])
        assert prompt.keys() >= set(validators["prompt_history"]["required"])


def test_same_seed_same_documents(world: World, same_world: World) -> None:
    assert list(assets(world)) == list(assets(same_world))
    assert list(prompts(world)) == list(prompts(same_world))


def test_planted_and_no_others_break_a_rule(world: World) -> None:
    bad_assets = [
        asset
        for asset in assets(world)
        if asset["metadata"]["size_bytes"] <= 0 or (asset["type"] != "text_copy" and not asset["url"])
    ]
    bad_prompts = [prompt for prompt in prompts(world) if not prompt["tool"] or prompt["tokens_used"] < 0]

    assert (len(bad_assets), len(bad_prompts)) == (PLANTED["content_assets"], PLANTED["prompts"])


def test_assets_and_prompts_name_each_other(world: World) -> None:
    asked = {str(prompt["_id"]): prompt for prompt in prompts(world)}
    linked = 0
    for asset in assets(world):
        if key := (asset["ai_generation_info"] or {}).get("prompt_history_id"):
            assert asked[key]["asset_id"] == str(asset["_id"])
            linked += 1
    assert 800 < linked < world.scale.assets


def test_some_dates_are_text(world: World) -> None:
    kinds = {type(asset["updated_at"]) for asset in assets(world)}

    assert kinds == {str, datetime}


def test_cache_keeps_to_its_key_spaces(world: World) -> None:
    cached = list(entries(world))

    assert {entry.space for entry in cached} == {"sessions", "api_responses", "campaign_days"}
    assert len({entry.key for entry in cached}) == len(cached)
    for entry in cached:
        space = key_spaces()[entry.space]
        assert space.matches(entry.key)
        assert 0 < entry.seconds <= space.time_to_live_seconds
        assert isinstance(entry.value, str) == (space.type == "string")

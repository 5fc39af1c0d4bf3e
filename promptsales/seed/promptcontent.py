"""Fill PromptContent with sample assets and prompts."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain, islice
from random import Random
from typing import Any

from bson import ObjectId
from pymongo import MongoClient, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from promptsales.seed.copying import Tally
from promptsales.seed.failures import system_errors
from promptsales.seed.names import names
from promptsales.seed.planted import PLANTED
from promptsales.seed.promptsales import owners
from promptsales.seed.world import World, wait
from promptsales.settings import Settings

Document = dict[str, Any]

# type and status depend only on an asset's number, so that ads can refer to approved assets without reading them
_TYPES = ("image",) * 6 + ("video",) * 2 + ("text_copy",) * 2
_STATUSES = ("approved",) * 6 + ("draft",) * 2 + ("archived",) * 2
_CYCLE = len(_TYPES) * len(_STATUSES)
_FORMATS = {"image": ("png", "jpg", "webp"), "video": ("mp4", "webm"), "text_copy": ("txt",)}
_TOOLS = {"image": ("dall-e-3", "imagen-4"), "video": ("veo-3", "sora-2"), "text_copy": ("gpt-5", "claude-sonnet-4-5")}
_USD_PER_TOKEN = {
    "dall-e-3": 4e-5,
    "imagen-4": 3e-5,
    "veo-3": 2e-4,
    "sora-2": 1e-4,
    "gpt-5": 1e-5,
    "claude-sonnet-4-5": 1.5e-5,
}
_TAGS = ("hero", "banner", "story", "carousel", "social", "email", "launch", "seasonal", "evergreen", "b2b")
_BATCH = 1_000


def fill(settings: Settings, world: World, tally: Tally) -> bool:
    """Fill the system batch by batch; return False when it already holds assets.

    One transaction for all documents would outlive the server's limit (60 s) on a busy machine. The first asset is
    written last, so a seed that was killed is continued by the next one: its prompts are there, its first asset is not.

    Raises:
        TransientError: when the system cannot be reached.
        TerminalError: when it rejects a command, for instance because its schema is not provisioned.
    """
    with (
        system_errors("seed promptcontent"),
        MongoClient[Document](settings.address("promptcontent"), serverSelectionTimeoutMS=5_000) as client,
    ):
        database = client.get_default_database()
        if _is_filled(database, world):
            return False
        _insert(database.prompt_history, prompts(world), tally)
        first, *others = assets(world)
        _insert(database.content_assets, chain(others, [first]), tally)
    return True


def _is_filled(database: Database[Document], world: World) -> bool:
    """Return whether the collection holds assets that are not those of a seed that was killed."""
    if database.content_assets.find_one({"_id": world.object_id("asset", 0)}):
        return True
    was_killed = database.prompt_history.find_one({"_id": world.object_id("prompt", 0)}) is not None
    return not was_killed and database.content_assets.find_one({}) is not None


def draft(world: World, index: int, at: datetime) -> tuple[Document, Document]:
    """Return a prompt and the draft that it created, both at one time."""
    prompt, asset = _prompt(world, index), _asset(world, index)
    prompt |= {"timestamp": at, "asset_id": str(asset["_id"])}
    fresh = {"status": "draft", "created_at": at, "updated_at": at, "approved_at": None, "archived_at": None}
    info = {"model": prompt["tool"], "prompt_used": prompt["input_prompt"], "generated_at": at}
    return prompt, asset | fresh | {"ai_generation_info": info | {"prompt_history_id": str(prompt["_id"])}}


def approved_asset(world: World, rng: Random, ad_type: str) -> ObjectId:
    """Return the id of a random approved asset of an ad's type."""
    offsets = [offset for offset, kind in enumerate(_TYPES) if kind.removesuffix("_copy") == ad_type]
    cycle = rng.randrange(world.scale.assets // _CYCLE) * _CYCLE
    return world.object_id(
        "asset", cycle + rng.randrange(_STATUSES.count("approved")) * len(_TYPES) + rng.choice(offsets)
    )


def assets(world: World) -> Iterator[Document]:
    """Yield all assets; the last ones are planted: in turn an image without an address and one of zero bytes."""
    sound = world.scale.assets - PLANTED["content_assets"]
    for index in range(world.scale.assets):
        asset = _asset(world, index)
        if index >= sound:
            asset["type"] = "image"
            if index % 2:
                asset["url"] = None
            else:
                asset["metadata"]["size_bytes"] = 0
        yield _as_text(asset) if index % 25 == 7 else asset


def prompts(world: World) -> Iterator[Document]:
    """Yield prompts for nine of ten assets, then some without an asset; the last ones are planted."""
    sound = world.scale.prompts - PLANTED["prompts"]
    for index in range(world.scale.prompts):
        prompt = _prompt(world, index)
        if index >= sound:
            prompt.update({"tool": ""} if index % 2 else {"tokens_used": -5})
        yield _as_text(prompt) if index % 25 == 7 else prompt


def _as_text(document: Document) -> Document:
    """Return the document with its dates as ISO text, because applications write both forms."""
    return {
        key: value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
        for key, value in document.items()
    }


def asset_type(index: int) -> str:
    """Return the type of the asset with a number."""
    return _TYPES[index % len(_TYPES)]


def _has_prompt(world: World, index: int) -> bool:
    return index < min(world.scale.assets, world.scale.prompts) and index % 10 != 3


def _created(world: World, index: int) -> datetime:
    return world.day(-world.rng("asset time", index).uniform(2, world.days + 30))


def _asset(world: World, index: int) -> Document:
    rng, created, kind = world.rng("asset", index), _created(world, index), asset_type(index)
    status = _STATUSES[index // len(_TYPES) % len(_STATUSES)]
    extension, user = rng.choice(_FORMATS[kind]), rng.choice(owners(world))
    decided = min(created + wait(rng, 3), world.anchor)
    was_approved = status == "approved" or (status == "archived" and rng.random() < 0.5)
    retired = min(decided + wait(rng, 20), world.anchor) if status == "archived" else None
    return {
        "_id": world.object_id("asset", index),
        "project_id": str(world.id("project", rng.randrange(world.scale.campaigns))),
        "type": kind,
        "url": None
        if kind == "text_copy"
        else f"https://cdn.promptsales.example/{world.object_id('asset', index)}.{extension}",
        "metadata": _metadata(rng, kind, extension),
        "tags": rng.sample(_TAGS, rng.randint(0, 4)),
        "ai_generation_info": _generation(world, index, created) if index % 20 != 3 else None,
        "status": status,
        "created_by_user_id": str(user),
        "created_at": created,
        "updated_at": retired or (decided if was_approved else created),
        "approved_at": decided if was_approved else None,
        "archived_at": retired,
    }


def _metadata(rng: Random, kind: str, extension: str) -> Document:
    if kind == "text_copy":
        return {"format": extension, "size_bytes": rng.randrange(80, 2_000)}
    width, height = rng.choice(((1080, 1080), (1200, 628), (1080, 1920)))
    size = int(rng.lognormvariate(12.5 if kind == "image" else 16, 0.6))
    return {"width": width, "height": height, "format": extension, "size_bytes": size}


def _generation(world: World, index: int, created: datetime) -> Document:
    """Return how an asset was generated; most refer to a prompt in the history."""
    prompt = _prompt(world, index)
    info = {
        "model": prompt["tool"],
        "prompt_used": prompt["input_prompt"],
        "generated_at": created - timedelta(minutes=1),
    }
    if _has_prompt(world, index):
        info["prompt_history_id"] = str(prompt["_id"])
    return info


def _prompt(world: World, index: int) -> Document:
    rng, linked = world.rng("prompt", index), _has_prompt(world, index)
    tool = rng.choice(_TOOLS[asset_type(index)])
    tokens = int(rng.lognormvariate(6.5, 0.7))
    asked = _created(world, index) - timedelta(minutes=2) if linked else world.day(-rng.uniform(0, world.days))
    return {
        "_id": world.object_id("prompt", index),
        "user_id": str(rng.choice(owners(world))),
        "tool": tool,
        "input_prompt": " ".join(rng.choices(names(world.number).sentences, k=rng.randint(1, 4))),
        "output_response": " ".join(rng.choices(names(world.number).sentences, k=rng.randint(1, 6))),
        "tokens_used": tokens,
        "cost": round(tokens * _USD_PER_TOKEN[tool], 8),
        "timestamp": asked,
        "asset_id": str(world.object_id("asset", index)) if linked else None,
    }


def _insert(collection: Collection[Document], documents: Iterable[Document], tally: Tally) -> None:
    """Insert documents, except those that a seed before has inserted."""
    remaining = iter(documents)
    while batch := list(islice(remaining, _BATCH)):
        collection.bulk_write(
            [UpdateOne({"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True) for document in batch],
            ordered=False,
        )
        tally.add(f"promptcontent.{collection.name}", len(batch))

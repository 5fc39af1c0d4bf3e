"""Create MongoDB's collections, validators and indexes as ``schemas/mongo/<collection>.yml`` says."""

from typing import Any

from pymongo import IndexModel
from pymongo.database import Database

from promptsales.failures.mongo import mongo_errors
from promptsales.provision.changes import ProvisionChange
from promptsales.specs.collection import Collection, Index, read_collections


def provision_collections(
    database: Database[dict[str, Any]], collections: tuple[Collection, ...] | None = None, dry_run: bool = False
) -> list[ProvisionChange]:
    """Create missing collections and indexes, and change validators that differ; nothing is dropped.

    Args:
        database: ``promptcontent``, as a user who may change it.
        collections: the collections it must have; by default those of the files.
        dry_run: change nothing, and return what would be changed.

    Raises:
        TransientError, TerminalError: when MongoDB cannot be reached or refuses.
    """
    with mongo_errors("provision promptcontent"):
        existing = {listed["name"]: listed.get("options", {}) for listed in database.list_collections()}
        return [
            change
            for collection in (read_collections() if collections is None else collections)
            for change in _provision_collection(database, collection, existing.get(collection.collection), dry_run)
        ]


def _provision_collection(
    database: Database[dict[str, Any]], collection: Collection, options: dict[str, Any] | None, dry_run: bool
) -> list[ProvisionChange]:
    name = collection.collection
    what = []
    if options is None:
        what.append(f"collection {name} created")
        if not dry_run:
            database.create_collection(name, **collection.options)
    elif any(options.get(key) != value for key, value in collection.options.items()):
        what.append(f"validator of {name} changed")
        if not dry_run:
            database.command("collMod", name, **collection.options)
    existing = {} if options is None else database[name].index_information()
    changes = [ProvisionChange(system="promptcontent", what=text) for text in what]
    return changes + [
        change for index in collection.indexes for change in _provision_index(database, name, index, existing, dry_run)
    ]


def _provision_index(
    database: Database[dict[str, Any]], name: str, index: Index, existing: Any, dry_run: bool
) -> list[ProvisionChange]:
    if index.name not in existing:
        if not dry_run:
            database[name].create_indexes([IndexModel(list(index.keys.items()), name=index.name)])
        return [ProvisionChange(system="promptcontent", what=f"index {index.name} of {name} created")]
    if list(existing[index.name]["key"]) != list(index.keys.items()):
        what = f"index {index.name} of {name} has other keys: give the new one another name, then drop the old one"
        return [ProvisionChange(system="promptcontent", what=what, is_warning=True)]
    return []

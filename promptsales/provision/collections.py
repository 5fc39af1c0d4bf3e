"""MongoDB collections: ``schemas/mongo/<collection>.yml`` compared with what the database has."""

from pathlib import Path
from typing import Any, Literal

from pymongo import IndexModel
from pymongo.database import Database

from promptsales.documents import Document, read_document
from promptsales.failures.mongo import mongo_errors
from promptsales.provision.changes import Change
from promptsales.settings import ROOT

FOLDER = ROOT / "schemas" / "mongo"


class Index(Document):
    """An index by name; the order of its keys counts."""

    name: str
    keys: dict[str, Literal[1, -1]]


class Collection(Document):
    """A collection as it shall be; ``validator`` is a JSON Schema as MongoDB understands it."""

    collection: str
    validator: dict[str, Any]
    indexes: tuple[Index, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """What `collMod` and `createCollection` take: every write is checked, and refused when it does not fit."""
        schema = {"$jsonSchema": self.validator}
        return {"validator": schema, "validationLevel": "strict", "validationAction": "error"}


def read_collections(folder: Path = FOLDER) -> tuple[Collection, ...]:
    """Every collection of a folder.

    Raises:
        ConfigError: when a file says something that cannot be.
    """
    return tuple(read_document(path, Collection) for path in sorted(folder.glob("*.yml")))


def collections(
    database: Database[dict[str, Any]], wanted: tuple[Collection, ...] | None = None, dry_run: bool = False
) -> list[Change]:
    """Make missing collections and indexes, and change validators that differ; nothing is dropped.

    Args:
        database: ``promptcontent``, as a user who may change it.
        wanted: what shall be; by default what the files say.
        dry_run: change nothing, tell what would be.

    Raises:
        TransientError, TerminalError: when MongoDB cannot be reached or refuses.
    """
    with mongo_errors("provision promptcontent"):
        there = {found["name"]: found.get("options", {}) for found in database.list_collections()}
        return [
            change
            for collection in (read_collections() if wanted is None else wanted)
            for change in _collection(database, collection, there.get(collection.collection), dry_run)
        ]


def _collection(
    database: Database[dict[str, Any]], wanted: Collection, options: dict[str, Any] | None, dry_run: bool
) -> list[Change]:
    name = wanted.collection
    what = []
    if options is None:
        what.append(f"collection {name} created")
        if not dry_run:
            database.create_collection(name, **wanted.options)
    elif any(options.get(key) != value for key, value in wanted.options.items()):
        what.append(f"validator of {name} changed")
        if not dry_run:
            database.command("collMod", name, **wanted.options)
    there = {} if options is None else database[name].index_information()
    changes = [Change(system="promptcontent", what=text) for text in what]
    return changes + [change for index in wanted.indexes for change in _index(database, name, index, there, dry_run)]


def _index(database: Database[dict[str, Any]], name: str, wanted: Index, there: Any, dry_run: bool) -> list[Change]:
    if wanted.name not in there:
        if not dry_run:
            database[name].create_indexes([IndexModel(list(wanted.keys.items()), name=wanted.name)])
        return [Change(system="promptcontent", what=f"index {wanted.name} of {name} created")]
    if list(there[wanted.name]["key"]) != list(wanted.keys.items()):
        what = f"index {wanted.name} of {name} has other keys: give the new one another name, then drop the old one"
        return [Change(system="promptcontent", what=what, is_warning=True)]
    return []

"""MongoDB's collections, with their validators and indexes: ``schemas/mongo/<collection>.yml``."""

from pathlib import Path
from typing import Any, Literal

from promptsales.documents import Document, read_document
from promptsales.settings import ROOT

FOLDER = ROOT / "schemas" / "mongo"


class Index(Document):
    """An index; the order of its keys matters."""

    name: str
    keys: dict[str, Literal[1, -1]]


class Collection(Document):
    """A collection in a file; ``validator`` is a JSON Schema in MongoDB's dialect."""

    collection: str
    validator: dict[str, Any]
    indexes: tuple[Index, ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """The options of `collMod` and `createCollection` that make MongoDB refuse documents which do not fit."""
        schema = {"$jsonSchema": self.validator}
        return {"validator": schema, "validationLevel": "strict", "validationAction": "error"}


def read_collections(folder: Path = FOLDER) -> tuple[Collection, ...]:
    """Read all collection files of a folder.

    Raises:
        ConfigError: when a file is invalid.
    """
    return tuple(read_document(path, Collection) for path in sorted(folder.glob("*.yml")))

"""The test vectors of the transforms, shared by both implementations: the view at the source, and Python."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from promptsales.specs.column import Column, PiiClass, Transform

KEY = bytes(range(7, 39))
_CLASSES: dict[str, PiiClass] = {"click_id_hmac": "pseudonymous", "text_hmac": "free_text", "text_length": "free_text"}
_TYPES = {"text_length": "integer", "is_email_valid": "boolean"}


class Vector(NamedTuple):
    """A transform, a value and the expected result."""

    transform: Transform
    value: str | None
    expected: Any


def vectors() -> list[Vector]:
    """Return all vectors, hashes as bytes."""
    entries = yaml.safe_load((Path(__file__).parent.parent / "vectors" / "pii.yml").read_text(encoding="utf-8"))
    return [Vector(entry["transform"], entry["value"], _bytes(entry["expected"])) for entry in entries]


def column(transform: Transform, source: str) -> Column:
    """Return a column with this transform."""
    pii, kind = _CLASSES.get(transform, "direct"), _TYPES.get(transform, "bytea")
    return Column(name=transform, source=source, type=kind, transform=transform, pii=pii, description="-")


def _bytes(expected: Any) -> Any:
    return bytes.fromhex(expected) if isinstance(expected, str) else expected

"""The test vectors of the transforms, shared by whatever hashes: the view at the source, and Python."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from promptsales.specs.feed import Column, PiiClass, Transform

KEY = bytes(range(7, 39))
_CLASSES: dict[str, PiiClass] = {"click_id_hmac": "pseudonymous", "text_hmac": "free_text", "text_length": "free_text"}
_TYPES = {"text_length": "integer", "is_email_valid": "boolean"}


class Vector(NamedTuple):
    """What a transform makes of a value."""

    transform: Transform
    value: str | None
    expected: Any


def vectors() -> list[Vector]:
    """All of them, hashes as bytes."""
    found = yaml.safe_load((Path(__file__).parent.parent / "vectors" / "pii.yml").read_text(encoding="utf-8"))
    return [Vector(one["transform"], one["value"], _bytes(one["expected"])) for one in found]


def column(transform: Transform, source: str) -> Column:
    """A column that is made so."""
    pii, kind = _CLASSES.get(transform, "direct"), _TYPES.get(transform, "bytea")
    return Column(name=transform, source=source, type=kind, transform=transform, pii=pii, description="-")


def _bytes(expected: Any) -> Any:
    return bytes.fromhex(expected) if isinstance(expected, str) else expected

"""The test vectors of the transforms, shared by both implementations: the view at the source, and Python."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from promptsales.specs.column import REDACTED, Column, PiiClass, Transform

KEY = bytes(range(7, 39))
_FOLDER = Path(__file__).parent.parent / "vectors"
_FREE_TEXT: dict[str, PiiClass] = dict.fromkeys(("text_hmac", "text_length", *REDACTED), "free_text")
_CLASSES: dict[str, PiiClass] = {"click_id_hmac": "pseudonymous", **_FREE_TEXT}
_TYPES = {"text_length": "integer", "is_email_valid": "boolean", **dict.fromkeys(REDACTED, "text")}


class Vector(NamedTuple):
    """A transform, a value and the expected result."""

    transform: Transform
    value: str | None
    expected: Any


def vectors() -> list[Vector]:
    """Return all vectors, hashes as bytes."""
    files = [_FOLDER / "pii.yml", _FOLDER / "redacted.yml"]
    entries = [entry for file in files for entry in yaml.safe_load(file.read_text(encoding="utf-8"))]
    return [Vector(**entry | {"expected": _expected(**entry)}) for entry in entries]


def column(transform: Transform, source: str) -> Column:
    """Return a column with this transform."""
    pii, kind = _CLASSES.get(transform, "direct"), _TYPES.get(transform, "bytea")
    return Column(name=transform, source=source, type=kind, transform=transform, pii=pii, description="-")


def _expected(transform: str, expected: Any, **_: Any) -> Any:
    return bytes.fromhex(expected) if transform.endswith("_hmac") and expected is not None else expected

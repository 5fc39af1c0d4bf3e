"""Hash personal data with a key, for sources without hashing views; the bytes equal those of ``provision/views.py``.

A hash is ``HMAC-SHA256(key, domain || 0x00 || normal form)``, 32 bytes. An empty normal form has no hash.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from promptsales.errors import SourceRefused
from promptsales.hashing.keys import CheckedKey, compute_pads, read_keys
from promptsales.hashing.normal_forms import NORMAL_FORMS, is_email_valid, measure_text, separate
from promptsales.hashing.redaction import make_redaction
from promptsales.specs.column import REDACTED, Column, Transform
from promptsales.specs.feed import KeyFile

_CHECK = "promptsales"

Digest = Callable[[str], bytes]


class Key(NamedTuple):
    """A hashing key and its number."""

    kid: int
    key: bytes

    @property
    def check(self) -> CheckedKey:
        """Number and check value, as in ``etl.pii_key``; another key under the same number has another check value."""
        return CheckedKey(self.kid, make_hasher(self.key, "check")(_CHECK))

    def __repr__(self) -> str:
        """Return the key's number only, so that no log shows the key."""
        return f"Key(kid={self.kid})"


def active_key(folder: Path, name: KeyFile = "pii_key") -> Key:
    """Return the newest key of the key files of a name, with which the pipeline hashes.

    A new file is the key of the next load, which refuses it unless a rotation has announced it.

    Raises:
        SourceRefused: when there is no key file.
        ConfigError: when a key is weak or other users may read its file.
    """
    keys = read_keys(folder, name)
    if not keys:
        todo = "run `promptsales provision`, which derives it from pii_key"
        if name == "pii_key":
            todo = "put the file pii_key_1 back, or, if nothing was ever loaded, run `promptsales provision`"
        raise SourceRefused(f"{folder} holds no hashing key {name}_N; {todo}")
    return Key(max(keys), keys[max(keys)])


def make_hasher(key: bytes, domain: str) -> Digest:
    """Return a function that hashes normal forms of a domain; it copies digests that already hold key and domain."""
    inner_pad, outer_pad = compute_pads(key)
    inner, outer = sha256(inner_pad + separate(domain)), sha256(outer_pad)

    def digest(value: str) -> bytes:
        state, result = inner.copy(), outer.copy()
        state.update(value.encode())
        result.update(state.digest())
        return result.digest()

    return digest


def make_transform(column: Column, key: Key | None) -> Callable[[str], Any]:
    """Return the function that makes a column from a text of its source, or a list of them; the caller handles nulls.

    Raises:
        SourceRefused: when the column is hashed and there is no key.
    """
    if column.transform in REDACTED:
        return make_redaction(column)
    plain: dict[Transform, Callable[[str], Any]] = {"is_email_valid": is_email_valid, "text_length": measure_text}
    return plain.get(column.transform) or _make_hash_transform(column, key)


def _make_hash_transform(column: Column, key: Key | None) -> Callable[[str], bytes | None]:
    if key is None:
        raise SourceRefused(
            f"column {column.name} is hashed by the pipeline and there is no key; put the file pii_key_1 back, or, "
            "if nothing was ever loaded, run `promptsales provision`"
        )
    form = NORMAL_FORMS[column.transform]
    normalise, digest = form.normalise, make_hasher(key.key, form.domain)

    def hash_text(value: str) -> bytes | None:
        normal_form = normalise(value)
        return digest(normal_form) if normal_form else None

    return hash_text

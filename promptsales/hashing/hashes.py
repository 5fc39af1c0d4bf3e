"""Hash personal data with a key, for sources without hashing views; the bytes equal those of ``provision/views.py``.

A hash is ``HMAC-SHA256(key, domain || 0x00 || normal form)``, 32 bytes. Normal forms use ASCII white space and A-Z
only, because white space and lower case depend on the locale. An empty normal form has no hash.
"""

import re
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from promptsales.errors import SourceRefused
from promptsales.hashing.keys import compute_pads, read_keys
from promptsales.specs.feed import Column, Transform

_SPACE = " \t\n\r\f\v"
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_NO_DIGIT = re.compile("[^0-9]+")
_VALID = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)
_CHECK = "promptsales"

Digest = Callable[[str], bytes]


class Key(NamedTuple):
    """A hashing key and its number."""

    kid: int
    key: bytes

    @property
    def check(self) -> tuple[int, bytes]:
        """Number and check value, as in ``etl.pii_key``; another key under the same number has another check value."""
        return self.kid, make_hasher(self.key, "check")(_CHECK)

    def __repr__(self) -> str:
        """Return the key's number only, so that no log shows the key."""
        return f"Key(kid={self.kid})"


def active_key(folder: Path) -> Key:
    """Return the newest key of the key files, with which the pipeline hashes.

    A new file is the key of the next load, which refuses it unless a rotation has announced it.

    Raises:
        SourceRefused: when there is no key file.
        ConfigError: when a key is weak or other users may read its file.
    """
    keys = read_keys(folder)
    if not keys:
        raise SourceRefused(
            f"{folder} holds no hashing key; put the file pii_key_1 back, or run `promptsales provision`"
        )
    return Key(max(keys), keys[max(keys)])


def make_hasher(key: bytes, domain: str) -> Digest:
    """Return a function that hashes normal forms of a domain; it copies digests that already hold key and domain."""
    inner_pad, outer_pad = compute_pads(key)
    inner, outer = sha256(inner_pad + domain.encode() + b"\0"), sha256(outer_pad)

    def digest(value: str) -> bytes:
        state, result = inner.copy(), outer.copy()
        state.update(value.encode())
        result.update(state.digest())
        return result.digest()

    return digest


def normalise_email(value: str) -> str:
    """Return the normal form of an e-mail address, which may be empty."""
    return unicodedata.normalize("NFC", value).strip(_SPACE).translate(_LOWER)


def normalise_email_domain(value: str) -> str:
    """Return the normal form of the part after the last @, or an empty text."""
    return normalise_email(value).rpartition("@")[2] if "@" in value else ""


def normalise_phone(value: str) -> str:
    """Return a plus and the digits, or an empty text if there are none."""
    digits = _NO_DIGIT.sub("", value)
    return f"+{digits}" if digits else ""


def normalise_click_id(value: str) -> str:
    """Return the id without the white space around it."""
    return value.strip(_SPACE)


# transform -> (domain, function that returns the normal form)
_HASHED: dict[Transform, tuple[str, Callable[[str], str]]] = {
    "email_hmac": ("email", normalise_email),
    "email_domain_hmac": ("email_domain", normalise_email_domain),
    "phone_hmac": ("phone", normalise_phone),
    "click_id_hmac": ("click_id", normalise_click_id),
    "text_hmac": ("text", str),
}


def _is_email_valid(value: str) -> bool | None:
    address = normalise_email(value)
    return bool(_VALID.fullmatch(address)) if address else None


def make_transform(column: Column, key: Key | None) -> Callable[[str], Any]:
    """Return the function that makes a column from a text of its source; the caller handles nulls.

    Raises:
        SourceRefused: when the column is hashed and there is no key.
    """
    plain: dict[Transform, Callable[[str], Any]] = {"is_email_valid": _is_email_valid, "text_length": len}
    return plain.get(column.transform) or _make_hash_transform(column, key)


def _make_hash_transform(column: Column, key: Key | None) -> Callable[[str], bytes | None]:
    if key is None:
        raise SourceRefused(
            f"column {column.name} is hashed by the pipeline and there is no key; put the file pii_key_1 back, or run "
            "`promptsales provision`"
        )
    domain, normalise = _HASHED[column.transform]
    digest = make_hasher(key.key, domain)

    def hash_text(value: str) -> bytes | None:
        normal_form = normalise(value)
        return digest(normal_form) if normal_form else None

    return hash_text

"""Keyed hashes, for sources where no view can make them: byte for byte what ``provision/views.py`` makes in SQL.

``HMAC-SHA256(key, domain || 0x00 || normal form)``, 32 bytes. Normal forms know ASCII white space and A-Z only, as
what a locale calls a space or a lower-case letter differs between systems. Where nothing is left there is no value.
"""

import re
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from promptsales.errors import SourceRefused
from promptsales.hashing.keys import pads, read_keys
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
        """Number and check value, as ``etl.pii_key`` shows them: tells a changed key from the same."""
        return self.kid, hasher(self.key, "check")(_CHECK)

    def __repr__(self) -> str:
        """Its number; the key itself is for no log."""
        return f"Key(kid={self.kid})"


def active_key(folder: Path) -> Key:
    """The key that hashes now, for whatever is hashed outside its source: the newest of the key files.

    A new file is a new key from the next load on; the load itself refuses it unless a rotation wants it.

    Raises:
        SourceRefused: when there is none.
        ConfigError: for a key that is weak or that others may read.
    """
    keys = read_keys(folder)
    if not keys:
        raise SourceRefused(
            f"{folder} holds no hashing key; put the file pii_key_1 back, or run `promptsales provision`"
        )
    return Key(max(keys), keys[max(keys)])


def hasher(key: bytes, domain: str) -> Digest:
    """What hashes normal forms of one domain: copies of states that have taken in key and domain already."""
    inner_pad, outer_pad = pads(key)
    inner, outer = sha256(inner_pad + domain.encode() + b"\0"), sha256(outer_pad)

    def digest(value: str) -> bytes:
        state, result = inner.copy(), outer.copy()
        state.update(value.encode())
        result.update(state.digest())
        return result.digest()

    return digest


def email(value: str) -> str:
    """The normal form of an e-mail address; '' where nothing is left."""
    return unicodedata.normalize("NFC", value).strip(_SPACE).translate(_LOWER)


def email_domain(value: str) -> str:
    """What stands behind the last @."""
    return email(value).rpartition("@")[2] if "@" in value else ""


def phone(value: str) -> str:
    """The digits, behind a plus."""
    digits = _NO_DIGIT.sub("", value)
    return f"+{digits}" if digits else ""


def click_id(value: str) -> str:
    """The id without the space around it."""
    return value.strip(_SPACE)


# transform -> (domain, normal form)
_HASHED: dict[Transform, tuple[str, Callable[[str], str]]] = {
    "email_hmac": ("email", email),
    "email_domain_hmac": ("email_domain", email_domain),
    "phone_hmac": ("phone", phone),
    "click_id_hmac": ("click_id", click_id),
    "text_hmac": ("text", str),
}


def _is_email_valid(value: str) -> bool | None:
    address = email(value)
    return bool(_VALID.fullmatch(address)) if address else None


def transformed(column: Column, key: Key | None) -> Callable[[str], Any]:
    """What makes a column of the text its source holds; null stays null, which is the caller's to see to.

    Raises:
        SourceRefused: when a hash is wanted and there is no key.
    """
    plain: dict[Transform, Callable[[str], Any]] = {"is_email_valid": _is_email_valid, "text_length": len}
    return plain.get(column.transform) or _hashed(column, key)


def _hashed(column: Column, key: Key | None) -> Callable[[str], bytes | None]:
    if key is None:
        raise SourceRefused(f"column {column.name} is hashed here, and there is no key")
    domain, normal = _HASHED[column.transform]
    digest = hasher(key.key, domain)

    def hashed(value: str) -> bytes | None:
        form = normal(value)
        return digest(form) if form else None

    return hashed

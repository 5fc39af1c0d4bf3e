"""Read and check the key files, derive the key of content, and compute the two pads of HMAC (RFC 2104).

``pii_key_N`` hashes what identifies a person, in the source. ``pii_content_key_N``, the only key that a shipped task
reads, hashes prompts and answers. It is derived from the first, and does not lead back to it.
"""

import hmac
import re
from pathlib import Path
from typing import NamedTuple

from promptsales.errors import ConfigError
from promptsales.hashing.normal_forms import separate
from promptsales.secrets import KEY_BYTES, Secrets
from promptsales.specs.feed import KeyFile

_BLOCK = 64  # block size of SHA-256 in bytes
CONTENT_KEY: KeyFile = "pii_content_key"
_NUMBER = re.compile("[1-9][0-9]*")


class CheckedKey(NamedTuple):
    """The number of a hashing key, and the value that tells it from another key with that number."""

    kid: int
    check: bytes


def read_keys(folder: Path, name: KeyFile = "pii_key") -> dict[int, bytes]:
    """Return the checked key of each key file of that name in a folder, by key number.

    Raises:
        ConfigError: when a key is weak or other users may read its file; the message contains no part of the key.
    """
    numbers = (path.name.removeprefix(f"{name}_") for path in folder.glob(f"{name}_*"))
    kids = sorted(int(number) for number in numbers if _NUMBER.fullmatch(number))
    return {kid: parse_key(f"{name}_{kid}", Secrets(folder).password(f"{name}_{kid}")) for kid in kids}


def parse_key(name: str, text: str) -> bytes:
    """Return the key in the text of a key file.

    Raises:
        ConfigError: when the text is not hex, has the wrong length, or repeats one byte.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise ConfigError(f"secret {name} is not hex: {KEY_BYTES} bytes as hex digits are expected") from None
    if not KEY_BYTES <= len(key) <= _BLOCK:
        raise ConfigError(f"secret {name} has {len(key)} bytes: {KEY_BYTES} to {_BLOCK} are expected")
    if len(set(key)) == 1:
        raise ConfigError(f"secret {name} repeats one byte: write {KEY_BYTES} random bytes as hex digits")
    return key


def derive_content_key(key: bytes) -> bytes:
    """Return the key of prompts and answers; no hash of a value is made with this text, whose domain has no values."""
    return hmac.digest(key, separate("key") + b"content", "sha256")


def compute_pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and the outer pad of a key."""
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)

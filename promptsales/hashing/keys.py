"""Read and check the key files, and compute the two pads that HMAC derives from a key (RFC 2104)."""

import re
from pathlib import Path

from promptsales.errors import ConfigError
from promptsales.secrets import KEY_BYTES, Secrets

_BLOCK = 64  # block size of SHA-256 in bytes
_FILE = re.compile(r"pii_key_([1-9][0-9]*)")


def read_keys(folder: Path) -> dict[int, bytes]:
    """Return the checked key of each key file of a folder, by key number.

    Raises:
        ConfigError: when a key is weak or other users may read its file; the message contains no part of the key.
    """
    names = (path.name for path in folder.glob("pii_key_*"))
    secrets = {int(match[1]): match[0] for name in names if (match := _FILE.fullmatch(name))}
    return {kid: parse_key(secrets[kid], Secrets(folder).password(secrets[kid])) for kid in sorted(secrets)}


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


def compute_pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and the outer pad of a key."""
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)

"""Key files of the hashes, checked, and the two pads that HMAC makes of a key (RFC 2104)."""

import re
from pathlib import Path

from promptsales.errors import ConfigError
from promptsales.secrets import KEY_BYTES, Secrets

_BLOCK = 64  # bytes SHA-256 works on
_FILE = re.compile(r"pii_key_([1-9][0-9]*)")


def read_keys(folder: Path) -> dict[int, bytes]:
    """Every key file of a folder, by number, checked.

    Raises:
        ConfigError: for a key that is weak or that others may read; the message holds no part of it.
    """
    names = (path.name for path in folder.glob("pii_key_*"))
    found = {int(match[1]): match[0] for name in names if (match := _FILE.fullmatch(name))}
    return {kid: checked(found[kid], Secrets(folder).password(found[kid])) for kid in sorted(found)}


def checked(name: str, text: str) -> bytes:
    """A key's bytes, from its file's text.

    Raises:
        ConfigError: when the text is no hex, too short, or the same byte over and over.
    """
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise ConfigError(f"secret {name} is no key: {KEY_BYTES} bytes as hex digits are expected") from None
    if not KEY_BYTES <= len(key) <= _BLOCK:
        raise ConfigError(f"secret {name} has {len(key)} bytes: {KEY_BYTES} to {_BLOCK} are expected")
    if len(set(key)) == 1:
        raise ConfigError(f"secret {name} is one byte over and over: make it of {KEY_BYTES} random bytes")
    return key


def pads(key: bytes) -> tuple[bytes, bytes]:
    """Inner and outer pad of a key."""
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)

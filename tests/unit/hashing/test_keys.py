"""Key files: what is refused, and the pads that are derived from them."""

import hashlib
import hmac
from pathlib import Path

import pytest

from promptsales.errors import ConfigError
from promptsales.hashing.keys import compute_pads, parse_key, read_keys

GOOD = bytes(range(32))


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o600)


@pytest.mark.parametrize("key", [GOOD, bytes(range(64))])
def test_pads_make_the_hmac_of_the_standard_library(key: bytes) -> None:
    inner, outer = compute_pads(key)
    message = b"email\0jane@example.com"
    made = hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).digest()
    assert made == hmac.digest(key, message, "sha256")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 bytes"),
        (GOOD[:31].hex(), "31 bytes"),
        (bytes(range(65)).hex(), "65 bytes"),
        ("correct horse battery staple", "not hex"),
        ("00" * 32, "repeats one byte"),
        ("ab" * 32, "repeats one byte"),
    ],
)
def test_weak_key_is_refused_and_not_shown(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        parse_key("pii_key_1", text)
    assert not text or text not in str(caught.value)


def test_every_key_file_is_read(tmp_path: Path) -> None:
    write(tmp_path, "pii_key_1", GOOD.hex())
    write(tmp_path, "pii_key_12", GOOD[::-1].hex() + "\n")
    write(tmp_path, "pii_key_old", "not a key at all")
    assert read_keys(tmp_path) == {1: GOOD, 12: GOOD[::-1]}


def test_one_weak_key_is_enough(tmp_path: Path) -> None:
    write(tmp_path, "pii_key_1", GOOD.hex())
    write(tmp_path, "pii_key_2", "00" * 32)
    with pytest.raises(ConfigError, match="pii_key_2"):
        read_keys(tmp_path)


def test_key_that_others_may_read(tmp_path: Path) -> None:
    write(tmp_path, "pii_key_1", GOOD.hex())
    (tmp_path / "pii_key_1").chmod(0o644)
    with pytest.raises(ConfigError, match="other users can read secret"):
        read_keys(tmp_path)

"""Hashes in Python: the shared vectors, the key of the key files, and what is refused."""

from pathlib import Path

import pytest

from promptsales.errors import ConfigError, SourceRefused
from promptsales.hashing.hashes import Key, active_key, make_transform
from promptsales.secrets import Secrets
from promptsales.specs.column import REDACTED
from tests.support.vectors import KEY, Vector, column, vectors


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: f"{vector.transform}-{vector.value!r}")
def test_vector(vector: Vector) -> None:
    make = make_transform(column(vector.transform, "value"), Key(1, KEY))
    assert (None if vector.value is None else make(vector.value)) == vector.expected


def test_every_transform_of_text_has_a_vector() -> None:
    made = {"email_hmac", "phone_hmac", "click_id_hmac", "text_hmac", "text_length"}
    assert {vector.transform for vector in vectors()} == made | {"is_email_valid"} | REDACTED


def test_without_a_key_nothing_is_hashed() -> None:
    with pytest.raises(SourceRefused, match="email_hmac is hashed by the pipeline and there is no key"):
        make_transform(column("email_hmac", "value"), None)


def test_check_value_is_the_view_s() -> None:
    # HMAC-SHA256(key, 'check' || 0x00 || 'promptsales'), computed with Python's hmac
    expected = "7d35c4e2f16d52cf0e6e3c3e87ff9998d5688a3467ae2b355a928015fc0c008d"
    assert Key(3, KEY).check == (3, bytes.fromhex(expected))


def test_the_newest_key_is_active(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.write("pii_key_2", KEY.hex())
    secrets.write("pii_key_10", KEY[::-1].hex())
    assert active_key(tmp_path) == Key(10, KEY[::-1])


def test_content_has_a_key_of_its_own(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.write("pii_key_3", KEY.hex())
    with pytest.raises(SourceRefused, match="no hashing key pii_content_key_N; run `promptsales provision`"):
        active_key(tmp_path, "pii_content_key")
    secrets.write("pii_content_key_2", KEY[::-1].hex())
    assert active_key(tmp_path, "pii_content_key") == Key(2, KEY[::-1])


def test_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="holds no hashing key"):
        active_key(tmp_path)


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    Secrets(tmp_path).write("pii_key_1", "00" * 32)
    with pytest.raises(ConfigError, match="repeats one byte"):
        active_key(tmp_path)


def test_a_key_does_not_show_itself() -> None:
    assert repr(Key(1, KEY)) == "Key(kid=1)"

"""Reading YAML files into models."""

from pathlib import Path

import pytest

from promptsales.documents import Document, parse_yaml, read_document
from promptsales.errors import ConfigError


class Shirt(Document):
    """A document with one key."""

    size: int


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("size: big", "size: input should be a valid integer"),
        ("size: 1\ncolour: red", "colour: extra inputs are not permitted"),
        ("size: [", "while parsing"),
    ],
)
def test_fault_is_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "shirt.yml").write_text(text)
    with pytest.raises(ConfigError, match=reason) as caught:
        read_document(tmp_path / "shirt.yml", Shirt)
    assert "shirt.yml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a: [", "line 1, column 5"), ("a: 2026-13-01", "month must be in"), (b"a: \xff", "position 3")],
)
def test_text_that_is_not_yaml_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(ConfigError, match=rf"^contract leads: .*{reason}"):
        parse_yaml(text, "contract leads")


def test_good_document(tmp_path: Path) -> None:
    (tmp_path / "shirt.yml").write_text("size: 3")
    assert read_document(tmp_path / "shirt.yml", Shirt) == Shirt(size=3)

"""Key spaces of Redis."""

import pytest

from promptsales.specs.key_space import KeySpace, key_spaces


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("session:0f3a", "sessions"),
        ("api:campaigns:9c1e", "api_responses"),
        ("counter:campaign:7d:20260101T1200", "campaign_minutes"),
        ("counter:campaign:7d:day:20260101", "campaign_days"),
        ("session:", None),
        ("session:a:b", None),
        ("mysession:a", None),
        ("session:a\n", None),
    ],
)
def test_key_space_of_a_key(key: str, name: str | None) -> None:
    matching = [known for known, space in key_spaces().items() if space.matches(key)]
    assert matching == ([name] if name else [])


def test_key_of_parts() -> None:
    space: KeySpace = key_spaces()["campaign_days"]
    key = space.key(campaign_id="7d", date="20260101")
    assert key == "counter:campaign:7d:day:20260101"
    assert space.matches(key)

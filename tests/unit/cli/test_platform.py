"""The output of `promptsales provision`."""

import pytest

from promptsales.cli.platform import show_changes
from promptsales.provision import ProvisionChange

WARNING = ProvisionChange(system="redis", what="2 keys of no known key space", is_warning=True)


def shown(capsys: pytest.CaptureFixture[str], *changes: ProvisionChange) -> str:
    show_changes("changed", changes)
    return capsys.readouterr().out


def test_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing to do" in shown(capsys)


def test_one_row_a_system_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, *(ProvisionChange(system="kafka", what=f"topic {number} created") for number in range(9)))
    assert "topic 3 created" in out
    assert "topic 4 created" not in out
    assert "and 5 more" in out


def test_warnings_stand_apart(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, WARNING)
    assert "needs attention" in out
    assert "nothing to do" not in out

"""The arguments of `promptsales reconcile`."""

import pytest
from typer.testing import CliRunner

from promptsales.cli import reconcile
from promptsales.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["leads", "nothing"], "^no feed or streamed table is called 'nothing'; feeds are .*; streamed tables are .*"),
        (["--accept-gone", "nothing"], "^no feed or streamed table is called 'nothing'; "),
        ([], "^name feeds or streamed tables, or pass --all; feeds are .*; streamed tables are "),
        (["leads", "--all"], "^name feeds or streamed tables, or pass --all; "),
    ],
)
def test_what_is_wrong_is_named(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CliRunner().invoke(reconcile.app, words, catch_exceptions=False)


def test_accept_gone_has_no_opposite() -> None:
    assert CliRunner().invoke(reconcile.app, ["--no-accept-gone", "--all"]).exit_code == 2

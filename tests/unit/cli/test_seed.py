"""The options of `promptsales seed`."""

import pytest
from typer.testing import CliRunner

from promptsales.cli import seed


@pytest.mark.parametrize(("years", "limit"), [("0", "greater than or equal to 1"), ("21", "less than or equal to 20")])
def test_years_out_of_range_are_refused(years: str, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "fill", lambda *_, **__: pytest.fail("it must not write"))
    result = CliRunner().invoke(seed.app, ["--years", years], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert limit in " ".join(result.output.split())

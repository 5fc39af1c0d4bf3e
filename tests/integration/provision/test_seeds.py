"""Seeds: tables that hold the content of a file, written once."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from promptsales.errors import ConfigError
from promptsales.provision.seeds import provision_seeds
from tests.integration.provision.conftest import Connect

HEADER = "plan_type,currency_code,monthly_amount,valid_from,valid_to\n"
BASIC, PRO = "basic,USD,19.00,2020-01-01,infinity\n", "pro,USD,79.00,2020-01-01,infinity\n"
ROWS = "select plan_type, monthly_amount::text from core.plan_price order by 1"


@pytest.fixture
def admin(warehouse_copy: Connect) -> Iterator[psycopg.Connection]:
    """Connect to the warehouse in a transaction that is rolled back."""
    with warehouse_copy("postgres") as connection:
        connection.autocommit = False
        yield connection
        connection.rollback()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "plan_price").mkdir()
    return tmp_path / "plan_price" / "seed.csv"


def run(admin: psycopg.Connection, file: Path, text: str) -> list[str]:
    file.write_text(HEADER + text)
    return [change.what for change in provision_seeds(admin, file.parent.parent)]


def test_as_provisioned(admin: psycopg.Connection) -> None:
    assert provision_seeds(admin) == []
    assert admin.execute("select count(*) from core.plan_price where valid_to = 'infinity'").fetchone() == (3,)
    assert admin.execute("select count(*), min(date_day)::text, max(date_day)::text from core.calendar").fetchone() == (
        18_628,
        "1990-01-01",
        "2040-12-31",
    )
    day = "select year, quarter, month, iso_year, iso_week, is_weekend from core.calendar where date_day = %s"
    assert admin.execute(day, ["2027-01-03"]).fetchone() == (2027, 1, 1, 2026, 53, True)
    assert admin.execute(day, ["2026-12-31"]).fetchone() == (2026, 4, 12, 2026, 53, False)


def test_a_changed_file_changes_the_table(admin: psycopg.Connection, file: Path) -> None:
    admin.execute("delete from core.plan_price")
    assert run(admin, file, BASIC + PRO) == ["core.plan_price: 2 rows changed by seed.csv"]
    assert run(admin, file, BASIC + PRO) == []
    # one row is deleted and one is added; the other is not written
    before = admin.execute("select xmin from core.plan_price where plan_type = 'basic'").fetchone()
    assert run(admin, file, BASIC + PRO.replace("79", "89")) == ["core.plan_price: 2 rows changed by seed.csv"]
    assert admin.execute(ROWS).fetchall() == [("basic", "19.00"), ("pro", "89.00")]
    assert admin.execute("select xmin from core.plan_price where plan_type = 'basic'").fetchone() == before
    admin.execute("update core.plan_price set monthly_amount = 0")
    assert run(admin, file, BASIC) == ["core.plan_price: 3 rows changed by seed.csv"]
    assert admin.execute(ROWS).fetchall() == [("basic", "19.00")]


@pytest.mark.parametrize(
    "text",
    ["basic,USD,cheap,2020-01-01,infinity\n", "basic,USD,-1,2020-01-01,infinity\n", "basic,USD,1,2020-01-01\n"],
)
def test_a_file_that_does_not_fit(admin: psycopg.Connection, file: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"seed\.csv: does not fit core\.plan_price: "):
        run(admin, file, text)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("gpt-5", "gpt-5"),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("GPT-4o", "gpt-4o"),
        ("dall-e-3", "dall-e-3"),
        ("imagen-4", "imagen-4"),
        ("veo-3", "veo-3"),
        ("sora-2", "sora-2"),
        ("claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("claude-3-5-sonnet-latest", "claude-sonnet"),
        ("mj", "midjourney"),
        ("mjolnir", None),
    ],
)
def test_models_are_known_by_what_applications_call_them(
    admin: psycopg.Connection, name: str, code: str | None
) -> None:
    query = "select model_code from core.ai_model where %s ~* match_pattern order by match_priority limit 1"
    model = admin.execute(query, [name]).fetchone()
    assert (model and model[0]) == code

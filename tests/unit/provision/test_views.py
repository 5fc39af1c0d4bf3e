"""The statements of a hashing view."""

from collections.abc import Mapping

import pytest

from promptsales.errors import ConfigError
from promptsales.provision.views import view_script
from promptsales.specs.feed import Contract

NAIVE = "timestamp without time zone"
TYPES = {"id": "uuid", "email": "character varying(320)", "created_at": NAIVE, "secret": "text"}
COLUMNS = [
    {"name": "person_id", "source": "id", "type": "uuid", "pii": "none"},
    {"name": "email_hmac", "source": "email", "type": "bytea", "transform": "email_hmac", "pii": "direct"},
    {"name": "pii_kid", "type": "integer", "transform": "pii_kid", "pii": "none"},
    {"name": "created_at", "type": "timestamp with time zone", "pii": "none"},
]


def feed() -> Contract:
    return Contract.model_validate(
        {
            "table": "people",
            "description": "People.",
            "source": {"system": "promptcrm", "relation": "crm.people"},
            "path": "poll",
            "cursor": "created_at",
            "look_back_seconds": 60,
            "key": "person_id",
            "hash_at": "source",
            "columns": [{"description": "A column.", **column} for column in COLUMNS],
        }
    )


def script(types: Mapping[str, str] = TYPES) -> str:
    return " ".join(view_script(feed(), types).as_string().split())


def test_owner_may_read_the_named_columns_only() -> None:
    assert 'revoke select on "crm"."people" from etl_owner; grant select ("created_at", "email", "id") on' in script()
    assert "secret" not in script()


def test_reader_may_read_the_view_only() -> None:
    assert script().count("etl_reader") == 1
    assert script().endswith('grant select on "etl"."people" to etl_reader;')


def test_columns_in_the_order_of_the_contract() -> None:
    places = [script().index(f'as "{column["name"]}"') for column in COLUMNS]
    assert places == sorted(places)


def test_naive_time_is_utc() -> None:
    assert '"created_at" at time zone \'UTC\' as "created_at"' in script()
    assert "at time zone" not in script({**TYPES, "created_at": "timestamp with time zone"})


def test_missing_column() -> None:
    with pytest.raises(ConfigError, match=r"crm\.people has no column email"):
        script({name: kind for name, kind in TYPES.items() if name != "email"})


def test_column_of_another_type() -> None:
    with pytest.raises(ConfigError, match=r"id of crm\.people is bigint, the contract says uuid"):
        script({**TYPES, "id": "bigint"})

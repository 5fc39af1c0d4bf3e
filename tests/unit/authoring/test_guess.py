"""A guess fails closed: columns that look personal are hashed or left unread."""

import pytest

from promptsales.authoring.guess import make_guess
from promptsales.authoring.relation import SourceColumn


def column(name: str, kind: str, allowed: str | None = None, is_key: bool = False) -> SourceColumn:
    return SourceColumn(name, kind, False, None, is_key, allowed, False)


@pytest.mark.parametrize(
    ("name", "kind", "targets"),
    [
        (
            "email",
            "character varying(320)",
            [
                ("email_hmac", "bytea", "email_hmac", "direct"),
                ("is_email_valid", "boolean", "is_email_valid", "direct"),
            ],
        ),
        ("mobile_phone", "text", [("mobile_phone_hmac", "bytea", "phone_hmac", "direct")]),
        ("gclid", "text", [("gclid_hmac", "bytea", "click_id_hmac", "pseudonymous")]),
        ("id", "uuid", [("id", "uuid", "as_is", "none")]),
        ("owner_user_id", "uuid", [("owner_user_id", "uuid", "as_is", "pseudonymous")]),
        ("amount", "numeric(12,2)", [("amount", "numeric(12,2)", "as_is", "none")]),
        ("seen_at", "timestamp without time zone", [("seen_at", "timestamp with time zone", "as_is", "none")]),
        ("seen_at", "timestamp(3) without time zone", [("seen_at", "timestamp(3) with time zone", "as_is", "none")]),
        ("utm_source", "character varying(255)", [("utm_source", "character varying(255)", "redacted", "free_text")]),
        ("first_name", "character varying(100)", []),
        ("date_of_birth", "date", []),
        ("zip", "integer", []),
        ("latitude", "double precision", []),
        ("company_name", "character varying(255)", []),
        ("country_code", "character(2)", []),
        ("notes", "text", []),
        ("status_text", "text", []),  # a label by its name, but without a limit on its length
        ("alias", "character varying(20)", []),
        ("ip_address", "inet", []),
        ("settings", "jsonb", []),
        ("status", "crm.lead_status", []),  # a contract cannot name the type
        ("Odd Name", "integer", []),
    ],
)
def test_guess(name: str, kind: str, targets: list[tuple[str, ...]]) -> None:
    assert list(make_guess(column(name, kind)).targets) == targets


def test_a_list_of_values_is_read() -> None:
    allowed = "CHECK ((mood = ANY (ARRAY['fine'::text, 'so so'::text])))"
    guessed = column("mood", "text", allowed)
    assert guessed.values == ("fine", "so so")
    assert make_guess(guessed).targets == (("mood", "text", "as_is", "none"),)

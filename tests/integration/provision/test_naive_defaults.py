"""A time without a zone that a default fills in is UTC, whatever the session's zone."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.provision.conftest import Connect

INSERTS = {
    "promptsales_owner": (
        "insert into promptsales.users (email, password_hash, role) values ('a', 'b', 'viewer') returning created_at",
    ),
    "promptads_owner": (
        "insert into promptads.campaign_metrics default values returning timestamp",
        "insert into promptads.ad_metrics default values returning timestamp",
    ),
}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize("role", INSERTS)
def test_a_default_is_utc(promptsales_copy: Connect, role: str, zone: str) -> None:
    with promptsales_copy(role) as owner:
        owner.execute("select set_config('timezone', %s, false)", [zone])
        for insert in INSERTS[role]:
            with owner.transaction(force_rollback=True):
                (filled,) = owner.execute(insert.encode()).fetchone() or (None,)
            assert abs(filled.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(seconds=30)

"""A new hashing key: every feed is hashed with it, old hashes are translated for a while, other changes are refused."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptsales.cli.load import load_feed
from promptsales.errors import ConfigError, SourceRefused
from promptsales.feeds.manual_release import list_open_rows, release
from promptsales.feeds.models import Window
from promptsales.load.steps import check, extract, load, publish
from promptsales.privacy import rotation
from promptsales.reconcile.settle import reconcile
from promptsales.settings import Limits, Settings
from promptsales.specs.feed import contract
from tests.support import keys, leads
from tests.support.deciding import BY_HAND

LEADS = contract("leads")
ALWAYS = Window(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC))


def rotate(stack: Settings, days: int = 30) -> list[str]:
    """Rotate the key to the end, and return the messages."""
    messages: list[str] = []
    rotation.rotate(stack, days, lambda feed: load_feed(feed, None, "test"), messages.append)
    return messages


def bridge(warehouse: psycopg.Connection) -> dict[tuple[str, bytes], bytes]:
    rows = warehouse.execute("select column_name, old_hmac, new_hmac from ops.pii_bridge").fetchall()
    return {(column, old): new for column, old, new in rows}


def announce(stack: Settings, warehouse: psycopg.Connection) -> rotation.Rotation:
    """Announce a key and switch every database to it, without loading any feed again; return the key."""
    key = rotation._announce(stack, warehouse, 30)
    for database in rotation.SOURCES:
        rotation._switch(stack, database, key.kid, rotation._read_key(stack, key))
    return key


def test_every_row_has_the_new_key_and_old_hashes_are_translated(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 3, email="ann@example.com", phone="+44 20 7946", click_id="c1")
    leads.add(crm, 1, email=None)
    leads.add_bad(crm, 2)
    load(LEADS, source, warehouse, None, "test")
    leads.add(crm, 1, email="bob@example.com")  # not loaded yet under the old key

    rotate(stack)

    assert keys.active(stack) == [2, 2]
    assert (stack.state / "secrets" / "pii_key_2").stat().st_mode & 0o777 == 0o600
    leads.assert_equal_to_source(crm, warehouse, stack, kid=2)
    assert len(leads.in_quarantine(warehouse)) == 2
    kids = "select distinct (payload ->> 'pii_kid')::integer from ops.quarantine"
    assert warehouse.execute(kids).fetchall() == [(2,)]
    assert warehouse.execute("select pii_kid from ops.feed").fetchall() == [(2,)]

    old, new = leads.expected(crm, stack, 1), leads.expected(crm, stack, 2)
    assert bridge(warehouse) == {
        (column, old[key][column]): new[key][column]
        for key in old
        for column in LEADS.hashed_columns
        if old[key][column] is not None
    }
    assert rotate(stack)[0] == "key 3 is announced"


def test_the_bridge_goes_with_the_first_load_after_its_window(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, stack: Settings
) -> None:
    leads.add(crm, 2)
    load(LEADS, source, warehouse, None, "test")
    rotate(stack, days=7)
    (ends,) = warehouse.execute("select distinct expires_at - l.published_at < interval '7 days 1 minute' "
                                "from ops.pii_bridge join ops.load l using (feed)").fetchall()  # fmt: skip
    assert ends == (True,)
    load(LEADS, source, warehouse, None, "test")
    assert len(bridge(warehouse)) == 1
    warehouse.execute("update ops.pii_bridge set expires_at = clock_timestamp()")
    load(LEADS, source, warehouse, None, "test")
    assert bridge(warehouse) == {}


def test_no_bridge_is_wanted(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, stack: Settings
) -> None:
    leads.add(crm, 2)
    load(LEADS, source, warehouse, None, "test")
    rotate(stack, days=0)
    assert bridge(warehouse) == {}
    leads.assert_equal_to_source(crm, warehouse, stack, kid=2)


def test_an_hourly_load_takes_part_and_a_changed_row_has_no_bridge(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    changed, stays = leads.add(crm, 1, email="a@example.com") + leads.add(crm, 1, email="b@example.com")
    load(LEADS, source, warehouse, None, "test")
    crm.execute("update crm.leads set email = 'c@example.com' where id = %s", [changed])
    announce(stack, warehouse)
    result = load(LEADS, source, warehouse, None, "test")
    assert (result.extracted, result.updated) == (2, 2)
    row = warehouse.execute("select mode, window_start from ops.load order by extraction desc limit 1").fetchone()
    assert row == ("delta", None)
    leads.assert_equal_to_source(crm, warehouse, stack, kid=2)
    email = {old: new for (column, old), new in bridge(warehouse).items() if column == "email_hmac"}
    assert email == {keys.email_hmac(stack, 1, "b@example.com"): keys.email_hmac(stack, 2, "b@example.com")}
    assert rotate(stack) == ["key 2 is announced", "promptsales hashes with key 2", "promptcrm hashes with key 2"]
    assert stays in leads.in_core(warehouse)


def test_rows_gone_from_the_source_lose_their_hashes(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    gone, _ = leads.add(crm, 1, phone="1") + leads.add(crm, 1)
    (bad,) = leads.add_bad(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    crm.execute("delete from crm.leads where id = any(%s)", [[gone, bad]])
    rotate(stack)
    row = leads.in_core(warehouse)[gone]
    assert [row[name] for name in (*LEADS.hashed_columns, "pii_kid")] == [None, None, None, 2]
    (payload,) = warehouse.execute("select payload from ops.quarantine").fetchone() or ({},)
    assert payload["pii_kid"] == 2
    assert set(LEADS.hashed_columns) & payload.keys() == set()


def test_what_was_deleted_before_is_not_gone_again(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    gone, _ = leads.add(crm, 2)
    load(LEADS, source, warehouse, None, "test")
    crm.execute("delete from crm.leads where id = %s", [gone])
    reconcile(LEADS, source, warehouse, "test", Limits())
    rotate(stack)
    comparison = reconcile(LEADS, source, warehouse, "test", Limits())
    assert comparison is not None
    assert (comparison.gone, comparison.deleted, comparison.unequal_buckets) == (0, 0, 0)


def test_a_row_published_by_its_release_stays_published(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (waived,) = leads.add_bad(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    (entry,) = list_open_rows(warehouse, None, 10)
    release(warehouse, entry.quarantine_id, BY_HAND)
    load(LEADS, source, warehouse, None, "test")
    rotate(stack)
    rotate(stack)
    assert leads.in_quarantine(warehouse) == set()
    assert leads.in_core(warehouse)[waived] == leads.expected(crm, stack, 3)[waived]


def test_a_stale_row_and_a_release_by_hand_survive(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (stale,) = leads.add(crm, 1, email="a@example.com", created_at="2020-01-01", score=1)
    (waived,) = leads.add_bad(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    (entry,) = list_open_rows(warehouse, None, 10)
    release(warehouse, entry.quarantine_id, BY_HAND)
    crm.execute("update crm.leads set created_at = '2999-01-01', score = 2 where id = %s", [stale])
    announce(stack, warehouse)
    load(LEADS, source, warehouse, None, "test")
    core = leads.in_core(warehouse)
    assert leads.in_quarantine(warehouse) == {stale}
    assert (core[stale]["score"], core[stale]["pii_kid"]) == (1, 2)
    assert core[stale]["email_hmac"] == keys.email_hmac(stack, 2, "a@example.com")
    assert core[waived] == leads.expected(crm, stack, 2)[waived]


def test_a_window_waits_for_the_whole_feed(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    announce(stack, warehouse)
    with pytest.raises(SourceRefused, match="a window can be replayed only after the whole feed has the new key"):
        load(LEADS, source, warehouse, ALWAYS, "test")
    rotate(stack)
    assert load(LEADS, source, warehouse, ALWAYS, "test").unchanged == 1


def test_a_newer_key_that_nobody_announced_is_refused(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    announce(stack, warehouse)
    warehouse.execute("update ops.pii_rotation set check_hmac = sha256('another key')")
    with pytest.raises(SourceRefused, match="hashes with another key than the warehouse was loaded with"):
        load(LEADS, source, warehouse, None, "test")
    with pytest.raises(ConfigError, match="secret pii_key_2 is not that key"):
        rotate(stack)


def test_the_way_back_is_refused(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    rotate(stack)
    rotation._switch(stack, "promptcrm", 1, bytes.fromhex(stack.secrets.password("pii_key_1")))
    with pytest.raises(SourceRefused, match="number 1, was 2"):
        load(LEADS, source, warehouse, None, "test")
    with pytest.raises(ConfigError, match="promptsales with 2, promptcrm with 1"):
        rotate(stack)


def test_a_load_in_flight_under_the_old_key_is_fenced_or_first(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 2)
    old = extract(LEADS, source, warehouse, None, "old key")
    announce(stack, warehouse)
    publish(LEADS, warehouse, old, check(LEADS, warehouse, old))
    leads.assert_equal_to_source(crm, warehouse, stack, kid=1)
    rotate(stack)
    leads.assert_equal_to_source(crm, warehouse, stack, kid=2)


def test_status_counts_what_is_to_do(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    assert rotation.describe(rotation.read_newest(warehouse), []) == "the hashing key was never changed"
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    key = rotation._announce(stack, warehouse, 30)
    rotation._switch(stack, "promptsales", key.kid, rotation._read_key(stack, key))
    steps = list(rotation.list_steps(stack, warehouse, key))
    assert [(step.what, step.kid, step.is_done) for step in steps] == [
        ("database promptsales", 2, True),
        ("database promptcrm", 1, False),
        ("feed leads", 1, False),
    ]
    assert rotation.describe(key, steps) == (
        "the rotation to key 2 is open, 2 steps to go: `promptsales pii rotate` resumes it"
    )
    rotate(stack)
    assert rotation.describe(rotation.read_newest(warehouse), []) == "everything hashes with key 2"


def test_a_key_of_ones_own_is_taken(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 1)
    load(LEADS, source, warehouse, None, "test")
    stack.secrets.write("pii_key_7", bytes(range(32)).hex())
    rotate(stack)
    assert keys.active(stack) == [7, 7]
    leads.assert_equal_to_source(crm, warehouse, stack, kid=7)


def test_both_databases_must_begin_with_one_key(stack: Settings, warehouse: psycopg.Connection) -> None:
    with psycopg.connect(make_conninfo(stack.address("sources_admin"), dbname="promptsales")) as admin:
        admin.execute("update etl.pii_pad set is_active = false")
    with pytest.raises(ConfigError, match="promptsales with none, promptcrm with 1"):
        rotate(stack)
    assert not (stack.state / "secrets" / "pii_key_2").exists()

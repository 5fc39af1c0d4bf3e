"""Bad rows go to quarantine and are published once they are fixed; a blocked batch publishes nothing."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from promptsales.errors import BatchBlocked, ConfigError
from promptsales.feeds import manual_release
from promptsales.feeds.models import LoadResult
from promptsales.load.steps import load
from promptsales.settings import Limits, Settings
from promptsales.specs import suite
from promptsales.specs.feed import Contract, contract
from tests.support import leads
from tests.support.deciding import BY_HAND

LEADS = contract("leads")


def run(source: psycopg.Connection, warehouse: psycopg.Connection, limits: Limits | None = None) -> LoadResult:
    return load(LEADS, source, warehouse, None, "test", limits)


def test_bad_rows_wait_and_leave_by_themselves_once_repaired(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 10)
    bad = leads.add_bad(crm, 3)
    result = run(source, warehouse)
    assert (result.extracted, result.inserted, result.quarantined) == (13, 10, 3)
    assert [(c.feed, c.rule, c.rows) for c in manual_release.count_by_rule(warehouse)] == [
        ("leads", "created_after_updated", 3)
    ]
    assert {entry.key for entry in manual_release.list_open_rows(warehouse, "leads", 10)} == set(map(str, bad))
    leads.assert_equal_to_source(crm, warehouse, stack)

    # read again within the frontier's margin: they are known, so there is nothing to check
    again = run(source, warehouse)
    assert (again.unchanged, again.quarantined, again.checks_passed + again.checks_failed) == (10, 3, 0)

    crm.execute("update crm.leads set created_at = '2020-01-01' where id = any(%s)", [bad])
    assert run(source, warehouse).inserted == 3
    assert manual_release.count_by_rule(warehouse) == []
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_a_row_gone_bad_is_marked_stale_in_core_and_freed_when_reverted(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    (lead,) = leads.add(crm, 1, created_at="2020-01-01")
    run(source, warehouse)
    crm.execute("update crm.leads set created_at = '2999-01-01' where id = %s", [lead])
    assert run(source, warehouse).quarantined == 1
    assert [entry.is_core_stale for entry in manual_release.list_open_rows(warehouse, None, 10)] == [True]
    crm.execute("update crm.leads set created_at = '2020-01-01' where id = %s", [lead])
    run(source, warehouse)
    assert manual_release.list_open_rows(warehouse, None, 10) == []


def test_payload_is_what_core_would_hold(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add_bad(crm, 1)
    run(source, warehouse)
    (entry,) = manual_release.list_open_rows(warehouse, None, 10)
    assert manual_release.read_row(warehouse, entry.quarantine_id)["payload"].keys() == set(LEADS.column_names)


def test_release_by_hand_publishes_this_version_only(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    released, changed = leads.add_bad(crm, 2)
    run(source, warehouse)
    for entry in manual_release.list_open_rows(warehouse, None, 10):
        assert manual_release.release(warehouse, entry.quarantine_id, BY_HAND) == "leads"
    crm.execute("update crm.leads set score = 5 where id = %s", [changed])
    result = run(source, warehouse)
    assert (result.inserted, result.quarantined) == (1, 1)
    assert leads.in_core(warehouse).keys() == {released}
    reason = warehouse.execute("select release_reason from ops.quarantine where released_at is not null").fetchall()
    assert reason == [("waived",)]
    leads.assert_equal_to_source(crm, warehouse, stack)


def test_a_row_that_core_cannot_hold_is_not_released(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add_bad(crm, 1)
    run(source, warehouse)
    (entry,) = manual_release.list_open_rows(warehouse, None, 10)
    warehouse.execute("""update ops.quarantine set payload = payload || '{"status": null, "lead_source": null}'""")
    with pytest.raises(ConfigError, match="core requires a value in lead_source, status; fix the row at the source"):
        manual_release.release(warehouse, entry.quarantine_id, BY_HAND)
    assert not manual_release.list_open_rows(warehouse, None, 10)[0].is_waived


def test_release_of_nothing_says_so(warehouse: psycopg.Connection) -> None:
    with pytest.raises(ConfigError, match="no open row 7"):
        manual_release.release(warehouse, 7, BY_HAND)


@pytest.fixture
def other_suite(tmp_path: Path) -> Iterator[Contract]:
    """Return the leads feed with a copy of its suite that a test may change."""

    class Elsewhere(Contract):
        @property
        def folder(self) -> Path:
            return tmp_path

    yield Elsewhere.model_validate(LEADS.model_dump())
    suite._read.cache_clear()


RULE = """
expectations:
  - type: {type}
    kwargs: {kwargs}
    meta: {{rule: the_rule, on_fail: {on_fail}}}
    description: A rule.
"""


def write_suite(contract: Contract, **words: str) -> None:
    (contract.folder / "expectations.yml").write_text(RULE.format(**words))
    suite._read.cache_clear()


def test_quarantined_rows_are_tried_again_when_their_rule_changed(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, other_suite: Contract
) -> None:
    between = {"type": "expect_column_values_to_be_between", "on_fail": "quarantine"}
    leads.add(crm, 2, score=50)
    write_suite(other_suite, kwargs="{column: score, max_value: 40}", **between)
    assert load(other_suite, source, warehouse, None, "test").quarantined == 2
    # past the frontier's margin, so that only the changed rule makes them due
    warehouse.execute("update ops.feed set last_sync_timestamp = clock_timestamp()")
    assert load(other_suite, source, warehouse, None, "test").extracted == 0
    write_suite(other_suite, kwargs="{column: score, max_value: 60}", **between)
    assert load(other_suite, source, warehouse, None, "test").inserted == 2


def test_quarantined_rows_are_tried_again_once_a_day(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add_bad(crm, 2)
    run(source, warehouse)
    # past the frontier's margin, and one of them was last checked more than a day ago
    warehouse.execute("update ops.feed set last_sync_timestamp = clock_timestamp()")
    warehouse.execute(
        "update ops.quarantine set last_tried_at = clock_timestamp() - interval '1 day 1 minute' "
        "where key = (select min(key) from ops.quarantine)"
    )
    assert counts(run(source, warehouse)) == (1, 1)
    assert sorted(entry.tries for entry in manual_release.list_open_rows(warehouse, None, 10)) == [1, 2]
    warehouse.execute("update ops.feed set last_sync_timestamp = clock_timestamp()")
    assert counts(run(source, warehouse)) == (0, 0)


def counts(result: LoadResult) -> tuple[int, int]:
    return result.extracted, result.quarantined


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            {"type": "expect_column_values_to_be_null", "kwargs": "{column: status}", "on_fail": "block"},
            "the_rule .2 rows.",
        ),
        (
            {"type": "expect_column_values_to_be_null", "kwargs": "{column: no_such_column}", "on_fail": "quarantine"},
            "the_rule",
        ),
    ],
)
def test_a_blocked_batch_leaves_core_and_watermark_as_they_were(
    crm: psycopg.Connection,
    source: psycopg.Connection,
    warehouse: psycopg.Connection,
    other_suite: Contract,
    words: dict[str, str],
    reason: str,
) -> None:
    stays, changes = leads.add(crm, 2)
    run(source, warehouse)
    query = "select last_sync_timestamp, complete_through from ops.feed"
    before, stands = leads.in_core(warehouse), warehouse.execute(query).fetchall()
    leads.add(crm, 1)
    crm.execute("update crm.leads set score = 9 where id = %s", [changes])
    write_suite(other_suite, **words)
    with pytest.raises(BatchBlocked, match=reason):
        load(other_suite, source, warehouse, None, "test")
    assert leads.in_core(warehouse) == before
    assert before.keys() == {stays, changes}
    assert warehouse.execute(query).fetchall() == stands
    results = warehouse.execute("select is_success from ops.check_result where rule = 'the_rule'").fetchall()
    assert results == [(False,)]


def test_an_unknown_expectation_is_refused(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection, other_suite: Contract
) -> None:
    leads.add(crm, 1)
    write_suite(other_suite, type="expect_the_unexpected", kwargs="{column: score}", on_fail="warn")
    with pytest.raises(ConfigError, match="knows no expect_the_unexpected"):
        load(other_suite, source, warehouse, None, "test")


def test_too_many_bad_rows_block_the_batch(
    crm: psycopg.Connection, source: psycopg.Connection, warehouse: psycopg.Connection
) -> None:
    leads.add(crm, 5)
    leads.add_bad(crm, 5)
    with pytest.raises(BatchBlocked, match="5 of 10 rows are bad, more than 20% and at least 5 rows block a batch"):
        run(source, warehouse, Limits(share=0.2, rows=5))
    assert leads.in_core(warehouse) == {}

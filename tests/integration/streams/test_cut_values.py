"""A value that was cut on the way is never treated as the real value."""

from typing import Any

import psycopg
import pytest

from promptsales.errors import ConfigError
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.decode import UNCHANGED
from promptsales.stream.messages import Message
from promptsales.stream.waive import waive
from tests.integration.streams.conftest import Apply
from tests.integration.streams.test_sink import GROUPS, NOW, A, B, event, iso
from tests.support.deciding import BY_HAND

CUT = "{" + "x" * 4 * 2**20
TOO_LARGE = "target_audience_too_large"
NEW: list[tuple[Any, ...]] = []


def group(lsn: int, audience: str, op: str = "u", name: str = "g") -> Message:
    row = {
        "id": A,
        "campaign_id": B,
        "name": name,
        "target_audience": audience,
        "created_at": iso(NOW),
        "deleted_at": None,
    }
    return event(op, {**row, "updated_at": iso(NOW)}, lsn, topic=GROUPS)


def in_core(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    return warehouse.execute("select name, target_audience from core.ad_groups").fetchall()


def held(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    query = "select rules, payload->>'name', release_reason from ops.quarantine order by quarantine_id"
    return warehouse.execute(query).fetchall()


@pytest.mark.parametrize("known", [NEW, [("old", {"age_min": 1})]])
@pytest.mark.parametrize("at_once", [True, False])
def test_an_update_that_leaves_out_a_cut_value_waits_too(
    apply: Apply, warehouse: psycopg.Connection, known: list[tuple[Any, ...]], at_once: bool
) -> None:
    before = [group(1, '{"age_min":1}', "c", "old")] if known else []
    later = [group(2, CUT), group(3, UNCHANGED, name="h"), group(4, UNCHANGED, name="i")]
    for batch in [[*before, *later]] if at_once else [[message] for message in (*before, *later)]:
        apply(batch)
    assert in_core(warehouse) == known
    assert held(warehouse) == [([TOO_LARGE], "i", None)]

    apply([group(5, '{"age_min":2}', name="i"), group(6, UNCHANGED, name="j")])
    assert in_core(warehouse) == [("j", {"age_min": 2})]
    assert held(warehouse) == [([TOO_LARGE], "i", "repaired")]


def test_it_is_not_released_by_hand(stack: Settings, apply: Apply, warehouse: psycopg.Connection) -> None:
    apply([group(1, CUT, "c")])
    (number,) = warehouse.execute("select quarantine_id from ops.quarantine").fetchone() or (0,)
    with pytest.raises(ConfigError, match=f"row {number} cannot be released: .* for a message and was cut"):
        waive(stack, stream_contracts()["ad_groups"], number, BY_HAND)
    assert (in_core(warehouse), held(warehouse)) == ([], [([TOO_LARGE], "g", None)])

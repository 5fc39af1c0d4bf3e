"""When the task `stream_health` fails, and with which message."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from promptsales.bus import topics
from promptsales.errors import TerminalError, TransientError
from promptsales.monitoring import freshness
from promptsales.monitoring.freshness import Freshness
from promptsales.orchestration import stream
from promptsales.stream import gaps as stream_gaps
from promptsales.stream import lag
from promptsales.stream.gaps import Gap
from promptsales.stream.lag import Lag, Slot

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SLOT = Slot("promptads", True, "reserved", 5, 9, 1000)
LAG = Lag("promptads", 5, 7, AT, AT, timedelta(0))


def run(
    monkeypatch: pytest.MonkeyPatch, slot: Slot | None, tables: list[Freshness], gaps: tuple[Gap, ...] = ()
) -> list[Any]:
    """Run the task on servers that give these answers; return what it records."""
    noted: list[Any] = []
    monkeypatch.setattr(stream, "kafka_address", lambda _: "")
    monkeypatch.setattr(stream, "postgres", lambda _: nullcontext())
    monkeypatch.setattr(topics, "admin", lambda _: None)
    monkeypatch.setattr(lag, "read_slot", lambda *_: slot)
    monkeypatch.setattr(lag, "measure_lag", lambda *_: LAG)
    monkeypatch.setattr(lag, "record", lambda _, *values: noted.append(values))
    monkeypatch.setattr(stream_gaps, "find_open", lambda *_: list(gaps))
    monkeypatch.setattr(freshness, "freshness", lambda _: tables)
    stream.check_health.function("promptads")
    return noted


def table(feed: str, minutes: int | None) -> Freshness:
    """Return the freshness of a table that is complete up to so many minutes before noon; None means never loaded."""
    if minutes is None:
        return Freshness(feed, None, None, None, None, None)
    age = timedelta(minutes=minutes)
    return Freshness(feed, AT - age, AT - age, age, None, None)


def test_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    rest = [table("leads", None), table("opportunity_stage_history", 60)]
    assert run(monkeypatch, SLOT, [table("ads", 14), *rest]) == [(LAG, SLOT)]


@pytest.mark.parametrize(
    ("slot", "tables", "message"),
    [
        (SLOT, [table("ads", 16), table("campaigns", 60)],
         "promptads: ads is complete through 2026-03-02 11:44:00+00:00, more than 0:15:00 ago, campaigns is complete "
         "through 2026-03-02 11:00:00+00:00, more than 0:15:00 ago: "
         "slot reserved, 5 bytes behind; 7 unread events on the bus; last commit applied 2026-03-02 12:00:00+00:00; "
         "run `promptsales doctor`"),
        (SLOT, [table("ads", None)], "promptads: ads was never loaded: slot reserved, "),
        (SLOT._replace(wal_status="unreserved"), [],
         "promptads: its slot will be lost at the source's next checkpoint: slot unreserved, 5 bytes behind; "),
        (None, [table("ads", None)], "promptads: its slot does not exist, ads was never loaded: slot missing; "),
    ],
)  # fmt: skip
def test_it_says_in_which_hop(
    monkeypatch: pytest.MonkeyPatch, slot: Slot | None, tables: list[Freshness], message: str
) -> None:
    with pytest.raises(TransientError) as caught:
        run(monkeypatch, slot, tables)
    assert message in str(caught.value)


def test_a_lost_slot_is_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TerminalError) as caught:
        run(monkeypatch, SLOT._replace(wal_status="lost"), [table("ads", 16)])
    assert str(caught.value) == (
        "promptads: its slot is lost, the source has removed log that was not read: slot lost, 5 bytes behind; 7 "
        "unread events on the bus; last commit applied 2026-03-02 12:00:00+00:00; run `promptsales connectors snapshot "
        "promptads`: it reads all rows again under a new epoch"
    )


def test_missing_events_are_no_matter_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TerminalError) as caught:
        run(monkeypatch, SLOT, [], (Gap("promptads.promptads.ads", 2, 5, 9, 9, True),))
    assert str(caught.value) == (
        "promptads: partition 2 of topic promptads.promptads.ads lost offsets 5 to 8 (4 events): Kafka removed them, "
        "or the consumer group skipped them, before they were applied; run `promptsales connectors snapshot "
        "promptads`: it reads all rows again under a new epoch"
    )

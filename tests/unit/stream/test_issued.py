"""Events are compared with what their source has issued; a source or warehouse that is away is handled."""

import asyncio

import pytest

from promptsales.errors import TransientError
from promptsales.settings import Settings
from promptsales.specs.stream import Connector, stream_contracts
from promptsales.stream import issued
from promptsales.stream.decode import Decoder
from promptsales.stream.issued import AHEAD, Issued, Pair
from tests.support import events
from tests.support.events import metric

DECODER = Decoder(stream_contracts()["campaign_metrics"])
CAMPAIGN = "00000000-0000-0000-0000-000000000001"


def pair(lsn: int, epoch: int = 1) -> Pair:
    message = events.message("u", metric(7, CAMPAIGN), lsn, epoch=epoch)
    return message, DECODER.decode(message)


class Sources:
    """Stands for the servers: answers with these figures, and counts the questions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, end: int | None) -> None:
        self.end, self.asked = end, 0
        monkeypatch.setattr(issued, "_query_epochs", lambda _: {"promptads": 1})
        monkeypatch.setattr(issued, "_query_end", self.answer)

    def answer(self, settings: Settings, connector: Connector) -> int:
        """Answer where the log ends."""
        self.asked += 1
        if self.end is None:
            raise TransientError("the source is away")
        return self.end


def refused(judge: Issued, *pairs: Pair) -> list[bool]:
    judged = asyncio.run(judge.judge(pairs))
    return [type(item).__name__ == "DeadLetter" for _, item in judged]


def test_the_source_is_asked_once_per_segment_of_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    sources, judge = Sources(monkeypatch, 10 * AHEAD), Issued(Settings())
    assert refused(judge, pair(10 * AHEAD), pair(11 * AHEAD)) == [False, False]
    assert sources.asked == 1
    assert refused(judge, *[pair(11 * AHEAD)] * 100) == [False] * 100
    assert sources.asked == 1
    sources.end = 12 * AHEAD
    assert refused(judge, pair(12 * AHEAD), pair(13 * AHEAD + 1)) == [False, True]
    assert sources.asked == 2


def test_a_source_that_is_away_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sources, judge = Sources(monkeypatch, None), Issued(Settings())
    assert refused(judge, pair(2**62)) == [False]
    assert refused(judge, pair(2**62)) == [False]
    assert sources.asked == 1


def test_an_earlier_epoch_had_another_log(monkeypatch: pytest.MonkeyPatch) -> None:
    sources, judge = Sources(monkeypatch, 1), Issued(Settings())
    assert refused(judge, pair(2**62, epoch=0), pair(1, epoch=2)) == [False, True]
    assert sources.asked == 0

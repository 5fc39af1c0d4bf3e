"""Kafka's records become messages: no header can stop the stream."""

from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from promptsales.specs.stream import stream_contracts
from promptsales.stream.decode import Decoder
from streams.app import collect, decode
from tests.support import events
from tests.support.events import METRICS, metric

CAMPAIGN = "00000000-0000-0000-0000-000000000001"
DECODERS = {METRICS: Decoder(stream_contracts()["campaign_metrics"])}


def record(*headers: tuple[str, bytes | None]) -> ConsumerRecord[Any, Any]:
    value = events.message("c", metric(7, CAMPAIGN)).value
    return ConsumerRecord(METRICS, 2, 40, 0, 0, b"k", value, None, 1, len(value or b""), headers)


@pytest.mark.parametrize(
    ("epoch", "known"),
    [
        (b"3", 3),
        (b"2147483647", 2**31 - 1),
        (b"2147483648", None),  # the warehouse has no such epoch
        (b"9" * 5000, None),
        (b"-1", None),
        (b"", None),
        (None, None),
    ],
)
def test_an_epoch_is_what_the_warehouse_can_hold(epoch: bytes | None, known: int | None) -> None:
    batch = collect(decode(DECODERS, [record(("other", None), ("epoch", epoch))]))
    messages = [change.message for change in batch.changes] + [letter.message for letter in batch.dead]
    assert [message.epoch for message in messages] == [known]
    assert len(batch.dead) == (known is None)
    assert [(offset.first_offset, offset.next_offset) for offset in batch.offsets] == [(40, 41)]

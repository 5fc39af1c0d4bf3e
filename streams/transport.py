"""Faust's transport, with runs of records in place of single ones, and with fetches of our own measure.

Faust passes each record through tasks, locks and queues of its own, at some 200 microseconds each: far too much for a
stream of thousands a second. Here what a fetch brings of a partition goes through them as one message.

A fetch costs this worker a millisecond or two, whatever it brings. So the broker collects what arrives within a short
wait, where Faust would have it answer each event, and wait 1.5 s when there is none.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord
from faust import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT

FETCH_WAIT_MS = 10
FETCH_BYTES = 65_536
# records of a partition that go as one
RUN = 500


class Runs(Schema[None, Sequence[ConsumerRecord]]):
    """Keys and values as the transport made them: no key, and a run of records of one partition, in order."""

    def loads_key(self, app: AppT, message: Any, **_: Any) -> None:
        """No key: each record has its own."""

    def loads_value(self, app: AppT, message: Any, **_: Any) -> Sequence[ConsumerRecord]:
        """The run."""
        found: Sequence[ConsumerRecord] = message.value
        return found


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # there is no setting for them
        consumer._fetch_max_wait_ms, consumer._fetch_min_bytes = FETCH_WAIT_MS, FETCH_BYTES
        return consumer


class _Consumer(driver.Consumer):
    """Hands over runs; where the last acknowledged one of a partition ends is what is committed.

    One agent takes them, in order: what comes before an acknowledged run is done.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ends: dict[TP, int] = {}

    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        found = await super()._getmany(active_partitions, timeout)
        return {
            tp: [records[start : start + RUN] for start in range(0, len(records), RUN)] for tp, records in found.items()
        }

    def _to_message(self, tp: TP, record: Any) -> Any:
        message = super()._to_message(tp, record[0])
        message.value = record
        return message

    def ack(self, message: Any) -> bool:
        self._ends[message.tp] = message.value[-1].offset + 1
        return bool(super().ack(message))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """The offsets between the beginnings of runs are no gaps."""

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._ends.get(tp)


class Transport(driver.Transport):
    """The transport of a worker."""

    Consumer = _Consumer

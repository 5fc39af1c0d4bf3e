"""Faust's transport, changed to pass runs of records instead of single ones, and with our fetch sizes.

Faust passes each record through its own tasks, locks and queues, about 200 microseconds each: too slow for thousands of
events a second. Here the records that one fetch returns of a partition pass as one message.

A fetch costs a worker one to two milliseconds whatever it returns. The broker therefore collects records for a short
wait; with Faust's settings it answers each event, and waits 1.5 s when there is none.
"""

from collections.abc import Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord
from faust import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT

FETCH_WAIT_MS = 10
FETCH_BYTES = 65_536
# records in a run at most
RUN = 500


class Runs(Schema[None, Sequence[ConsumerRecord]]):
    """Keys and values as the transport makes them: no key, and a run of records of one partition, in order."""

    def loads_key(self, app: AppT, message: Any, **_: Any) -> None:
        """Return no key: each record has its own."""

    def loads_value(self, app: AppT, message: Any, **_: Any) -> Sequence[ConsumerRecord]:
        """Return the run."""
        run: Sequence[ConsumerRecord] = message.value
        return run


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no settings for these
        consumer._fetch_max_wait_ms, consumer._fetch_min_bytes = FETCH_WAIT_MS, FETCH_BYTES
        return consumer


class _Consumer(driver.Consumer):
    """Delivers runs, and commits the end of the last acknowledged run of each partition.

    One agent takes the runs in order, so everything before an acknowledged run is done.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ends: dict[TP, int] = {}

    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        fetched = await super()._getmany(active_partitions, timeout)
        return {
            tp: [records[start : start + RUN] for start in range(0, len(records), RUN)]
            for tp, records in fetched.items()
        }

    def _to_message(self, tp: TP, record: Any) -> Any:
        message = super()._to_message(tp, record[0])
        message.value = record
        return message

    def ack(self, message: Any) -> bool:
        self._ends[message.tp] = message.value[-1].offset + 1
        return bool(super().ack(message))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: the offsets between the starts of two runs are not gaps."""

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._ends.get(tp)


class Transport(driver.Transport):
    """The transport of a worker."""

    Consumer = _Consumer

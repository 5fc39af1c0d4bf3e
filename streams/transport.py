"""Faust's transport, changed to pass runs of records instead of single ones, and with our fetch sizes.

Faust passes each record through its own tasks, locks and queues, about 200 microseconds each: too slow for thousands of
events a second. Here the records that one fetch returns of a partition pass as one message.

A fetch costs a worker one to two milliseconds whatever it returns, and the broker as much. While events come, the
broker therefore collects records for a short wait; with Faust's settings it would answer each event. While none come,
it waits long for the first one and answers that at once: collecting would answer a hundred empty fetches a second.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka.structs import ConsumerRecord
from faust import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT


class Fetch(NamedTuple):
    """When the broker answers a fetch: after this wait, or as soon as it has so many bytes."""

    wait_ms: int
    bytes: int


COLLECT = Fetch(10, 65_536)
# partitions that a worker is given meanwhile wait for the answer, so it must not take long
AWAIT = Fetch(250, 1)
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
    async def on_start(self) -> None:
        await super().on_start()
        # the client has no setting that changes while it runs
        adapt(self._ensure_consumer()._fetcher)

    async def on_thread_stop(self) -> None:
        # the client lets a member with a name stay in the group, and its partitions would wait for the session to end
        if self._consumer is not None:
            self._consumer._coordinator._group_instance_id = None
        await super().on_thread_stop()


def adapt(fetcher: Any) -> None:
    """Let a fetcher collect records after a fetch that returned some, and wait for the first after an empty one."""
    process = fetcher._proc_fetch_request

    async def process_and_choose(*arguments: Any) -> bool:
        has_records: bool = await process(*arguments)
        _choose(fetcher, COLLECT if has_records else AWAIT)
        return has_records

    _choose(fetcher, AWAIT)
    fetcher._proc_fetch_request = process_and_choose


def _choose(fetcher: Any, fetch: Fetch) -> None:
    fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = fetch


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

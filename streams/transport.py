"""Faust's transport, with a shorter wait for a fetch.

A broker answers one fetch at a time, and a fetch leaves out partitions whose events lie here already. What arrives in
one of those meanwhile waits until the fetch ends; Faust's own limit for that is 1.5 s.
"""

from typing import Any

from faust.transport.drivers import aiokafka as driver

FETCH_WAIT_MS = 25


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # there is no setting for it
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    """The transport of a worker."""

    Consumer = _Consumer

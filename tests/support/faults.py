"""Faults of the stream: a program is killed, or stops for a while."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from local.processes import GONE, family
from local.supervisor import Supervisor
from promptsales.settings import Settings
from promptsales.stream.gaps import GROUP
from promptsales.stream.lag import Partition
from tests.support.streaming import wait

# programs of the supervisor, which restarts them
PARTS = ("stream-0", "connect", "redis", "kafka", "warehouse", "sources")


def _pid(stack: Settings, name: str) -> int:
    pid = Supervisor(stack.state).processes()[name].pid
    assert pid, f"{name} does not run"
    return pid


def kill(stack: Settings, name: str) -> None:
    """Kill a program, and wait until the supervisor has started another."""
    pid = _pid(stack, name)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: Supervisor(stack.state).processes()[name].pid not in (0, None, pid))


@contextmanager
def frozen(stack: Settings, name: str) -> Iterator[None]:
    """Suspend a program and its descendants until the block ends: connections stay open, nobody answers."""
    processes = family(_pid(stack, name))
    try:
        for process in processes:
            process.suspend()
        yield
    finally:
        for process in processes:
            with suppress(*GONE):
                process.resume()


def set_group(client: AdminClient, offsets: dict[Partition, int]) -> None:
    """Set the offsets of the workers' group, once the broker has forgotten the worker that was killed.

    Until then the brokers refuse each partition, and the call as a whole does not fail.
    """
    groups = [ConsumerGroupTopicPartitions(GROUP, [TopicPartition(*at, offset) for at, offset in offsets.items()])]

    def is_set() -> bool:
        try:
            results = client.alter_consumer_group_offsets(groups)[GROUP].result()
        except KafkaException:
            return False
        return all(at.error is None for at in results.topic_partitions)

    wait(is_set)

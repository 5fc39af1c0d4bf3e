"""What befalls the parts of the stream: a program is ended at once, or stands still for a while."""

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

# programs of the supervisor; it starts each again by itself
PARTS = ("stream-0", "connect", "redis", "kafka", "warehouse", "sources")


def _pid(stack: Settings, name: str) -> int:
    found = Supervisor(stack.state).processes()[name].pid
    assert found, f"{name} does not run"
    return found


def kill(stack: Settings, name: str) -> None:
    """End a program at once, and wait until the supervisor has started another."""
    found = _pid(stack, name)
    os.kill(found, signal.SIGKILL)
    wait(lambda: Supervisor(stack.state).processes()[name].pid not in (0, None, found))


@contextmanager
def frozen(stack: Settings, name: str) -> Iterator[None]:
    """A program, and all it started, stands still until the block ends: its connections stay, nobody answers."""
    found = family(_pid(stack, name))
    try:
        for process in found:
            process.suspend()
        yield
    finally:
        for process in found:
            with suppress(*GONE):
                process.resume()


def set_group(client: AdminClient, offsets: dict[Partition, int]) -> None:
    """Let the workers' group go on at some offsets, once it has forgotten the worker that was ended.

    Until then the brokers refuse each partition by itself, and the call as a whole does not fail.
    """
    groups = [ConsumerGroupTopicPartitions(GROUP, [TopicPartition(*at, offset) for at, offset in offsets.items()])]

    def is_set() -> bool:
        try:
            found = client.alter_consumer_group_offsets(groups)[GROUP].result()
        except KafkaException:
            return False
        return all(at.error is None for at in found.topic_partitions)

    wait(is_set)

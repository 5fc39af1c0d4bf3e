"""A load of prompts that says each step on its standard output and waits for a line before it goes on; to be killed."""

from collections.abc import Iterator

import psycopg

from promptsales.content import topic as kafka
from promptsales.contracts import contract
from promptsales.load.steps import check, extract, publish
from promptsales.settings import settings
from promptsales.sources import opened
from tests.faults.stepwise import say

read = kafka.read


def read_when_told(address: str, topic: str, written: kafka.Written) -> Iterator[bytes]:
    """All is in Kafka, nothing in staging."""
    say("written")
    yield from read(address, topic, written)


def main() -> None:
    """Run one load, step by step."""
    kafka.read = read_when_told
    here, prompts = settings(), contract("prompts")
    with opened(here, prompts) as source, psycopg.connect(here.address("warehouse")) as warehouse:
        say("started")
        staged = extract(prompts, source, warehouse, None, "stepwise")
        say("extracted")
        audit = check(prompts, warehouse, staged)
        say("checked")
        publish(prompts, warehouse, staged, audit)
        say("published")


if __name__ == "__main__":
    main()

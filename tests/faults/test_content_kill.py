"""kill -9 at each step of a load through Kafka: the next run ends with the warehouse equal to its source."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from promptsales.extract.mongo import topic as kafka
from promptsales.extract.opening import open_source
from promptsales.extract.sources import Source
from promptsales.load.steps import check, extract, load, publish
from promptsales.settings import Settings, settings
from promptsales.specs.feed import contract
from tests.support.content import assert_equal_to_source, in_core, in_quarantine, prompt
from tests.support.stepwise import Say, stepwise

STEPS = ("started", "written", "extracted", "checked", "published")
PROMPTS = contract("prompts")


def through_kafka(say: Say) -> None:
    """Run one load of prompts step by step."""
    here, read = settings(), kafka.read

    def read_when_told(address: str, topic: str, written: kafka.WrittenRange) -> Iterator[bytes]:
        say("written")  # all is in Kafka, nothing in staging
        yield from read(address, topic, written)

    kafka.read = read_when_told
    with open_source(here, PROMPTS) as source, psycopg.connect(here.address("warehouse")) as warehouse:
        say("started")
        staged = extract(PROMPTS, source, warehouse, None, "stepwise")
        say("extracted")
        audit = check(PROMPTS, warehouse, staged)
        say("checked")
        publish(PROMPTS, warehouse, staged, audit)
        say("published")


def change(documents: Database[dict[str, Any]]) -> None:
    documents.prompt_history.update_one({"_id": "p0"}, {"$set": {"tool": "changed"}})
    documents.prompt_history.delete_one({"_id": "p1"})
    documents.prompt_history.insert_one(prompt(_id="new"))
    documents.prompt_history.insert_one(prompt(_id="bad", tokens_used=-1))


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_steps(
    stack: Settings, documents: Database[dict[str, Any]], content: Source, warehouse: psycopg.Connection, step: str
) -> None:
    documents.prompt_history.insert_many([prompt(_id=f"p{number}") for number in range(20)])
    load(PROMPTS, content, warehouse, None, "test")
    change(documents)
    with stepwise(through_kafka) as run:
        run.advance(step)
        run.kill()
    documents.prompt_history.update_one({"_id": "p0"}, {"$set": {"tool": "changed after the kill"}})
    result = load(PROMPTS, content, warehouse, None, "after the kill")
    assert_equal_to_source(documents, warehouse, stack, "prompts")
    assert in_core(warehouse, "prompts", deleted=True).keys() == {"p1"}
    assert in_quarantine(warehouse, "prompts").keys() == {"bad"}
    # messages of the killed run belong to another load and are not counted
    assert (result.extracted, result.inserted) == ((1, 0) if step == "published" else (4, 1))
    assert load(PROMPTS, content, warehouse, None, "once more").extracted == 0

"""kill -9 at each step of a load through Kafka: the next run ends with the warehouse equal to its source."""

import subprocess
import sys
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from promptsales.contracts import contract
from promptsales.extract.sources import Source
from promptsales.load.steps import load
from promptsales.settings import ROOT, Settings
from tests.faults.test_kill import kill
from tests.support.content import assert_equal_to_source, in_core, in_quarantine, prompt

STEPS = ("started", "written", "extracted", "checked", "published")
PROMPTS = contract("prompts")


def killed_at(step: str) -> None:
    """Let a load of its own process go on until it says that it reached a step, then kill it."""
    command = [sys.executable, "-m", "tests.faults.content_stepwise"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    while (said := process.stdout.readline().strip()) != step:
        assert said in STEPS, f"the load ended before {step}"
        process.stdin.write("go on\n")
        process.stdin.flush()
    kill(process)


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
    killed_at(step)
    documents.prompt_history.update_one({"_id": "p0"}, {"$set": {"tool": "changed after the kill"}})
    result = load(PROMPTS, content, warehouse, None, "after the kill")
    assert_equal_to_source(documents, warehouse, stack, "prompts")
    assert in_core(warehouse, "prompts", deleted=True).keys() == {"p1"}
    assert in_quarantine(warehouse, "prompts").keys() == {"bad"}
    # what the dead run wrote to the topic is another load's, and is not counted
    assert (result.extracted, result.inserted) == ((1, 0) if step == "published" else (4, 1))
    assert load(PROMPTS, content, warehouse, None, "once more").extracted == 0

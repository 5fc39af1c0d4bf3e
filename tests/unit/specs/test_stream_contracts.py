"""Contracts of the stream report their faults, and each has its topic, its dead letters and its tables."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from promptsales.errors import ConfigError
from promptsales.specs.stream import StreamContract, read, refuse_shared_topics, stream_contracts
from promptsales.specs.suite import read_suite
from promptsales.specs.topic import read_topics

GOOD: dict[str, Any] = {
    "table": "things",
    "description": "Things.",
    "source": {"system": "promptads", "relation": "promptads.things"},
    "path": "stream",
    "key": "thing_id",
    "columns": [
        {"name": "thing_id", "source": "id", "type": "uuid", "pii": "none", "description": "Id."},
        {"name": "about", "type": "jsonb", "pii": "none", "keys": ["a"], "description": "About."},
    ],
}


def write(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "core" / "things" / "contract.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    return path


def columns(**changes: Any) -> list[dict[str, Any]]:
    return [*GOOD["columns"], {"name": "extra", "type": "text", "pii": "none", "description": "Extra.", **changes}]


def test_read(tmp_path: Path) -> None:
    parsed = read(write(tmp_path))
    assert (parsed.layer, parsed.topic, parsed.origins, parsed.key_origin) == (
        "core",
        "promptads.promptads.things",
        ("id", "about"),
        "id",
    )


def test_signs_are_no_part_of_a_topic() -> None:
    made = [
        StreamContract.model_validate(
            {**GOOD, "layer": "core", "table": table, "source": {"system": "promptads", "relation": relation}}
        )
        for table, relation in (("a", "promptads.Order Lines"), ("b", "promptads.Order%Lines"))
    ]
    assert [contract.topic for contract in made] == ["promptads.promptads.Order_Lines"] * 2
    with pytest.raises(
        ConfigError, match=r"^contracts a and b have one topic, promptads\.promptads\.Order_Lines: keep"
    ):
        refuse_shared_topics(made)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": columns(name="is_deleted")}, "the pipeline itself uses the name is_deleted"),
        ({"columns": columns(name="with space")}, "call it with_space, and put the source's name under source"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted; keys are table, description, source"),
        ({"key": "id"}, "id is used but not a column; columns are thing_id, about"),
        ({"history": ["status"]}, "status is used but not a column"),
        ({"columns": columns(name="about", type="jsonb", keys=["a"])}, "a column is named twice"),
        ({"columns": columns(pii="direct")}, "extra is direct: change events are not hashed"),
        ({"columns": columns(keys=["a"])}, "extra: a jsonb column must list the keys to keep"),
        ({"columns": columns(transform="email_hmac")}, r"columns\.2\.transform: Input should be 'as_is'"),
        ({"source": {"system": "promptsales", "relation": "a.b"}}, r"source\.system: Input should be 'promptads'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(write(tmp_path, **changes))


@pytest.mark.parametrize("contract", stream_contracts().values(), ids=lambda contract: contract.table)
def test_every_contract_is_whole(contract: StreamContract) -> None:
    topics = read_topics().topics
    assert {contract.topic, f"{contract.topic}.dlq"} <= topics.keys()
    assert read_suite(contract).expectations
    assert (contract.folder / "table.sql").is_file()

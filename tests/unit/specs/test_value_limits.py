"""Limits on streamed values: Debezium, Kafka and the worker have room for the largest row that the limits allow."""

import yaml

from promptsales.settings import ROOT
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.specs.topic import read_topics
from promptsales.specs.value_limits import (
    DEAD_LETTER_BYTES,
    MESSAGE_BYTES,
    compose_properties,
    compute_limits,
    count_units,
)


def contract(*kinds: str) -> StreamContract:
    columns = [
        {"name": f"c{number}", "type": kind, "pii": "none", "description": "d", "keys": ["k"] * (kind == "jsonb")}
        for number, kind in enumerate(("bigint", *kinds))
    ]
    return StreamContract.model_validate({
        "table": "t", "layer": "core", "description": "d", "path": "stream", "key": "c0", "columns": columns,
        "source": {"system": "promptads", "relation": "promptads.t"},
    })  # fmt: skip


def test_text_of_a_length_may_have_it_in_emojis_and_the_rest_share_a_message() -> None:
    sizes = compute_limits(contract("character varying(255)", "character(3)", "integer", "jsonb"))
    assert sizes == {"c1": 510, "c2": 6, "c4": 4 * 2**20}
    assert compute_limits(contract("jsonb", "text")) == {"c1": 2 * 2**20, "c2": 2 * 2**20}


def test_units_are_those_of_java() -> None:
    assert [count_units(text) for text in ("", "a\u00e9", "\U0001f600!", "\ud83d")] == [0, 2, 3, 1]


def test_the_largest_row_fits_into_a_message() -> None:
    for table in stream_contracts().values():
        # six bytes per unit, as \u0001; other types, names and the envelope take far less than 64 kB
        assert sum(compute_limits(table).values()) * 6 + 65_536 < MESSAGE_BYTES, table.table
    assert MESSAGE_BYTES + 65_536 < DEAD_LETTER_BYTES


def test_every_part_has_the_same_limit() -> None:
    topics = read_topics()
    sizes = {name: int(topics.config(name)["max.message.bytes"]) for name in topics.topics}
    assert sizes == {name: DEAD_LETTER_BYTES if name.endswith(".dlq") else MESSAGE_BYTES for name in sizes}
    written = yaml.safe_load((ROOT / "schemas/kafka/connectors/postgres.yml").read_text(encoding="utf-8"))
    assert written["producer.override.max.request.size"] == MESSAGE_BYTES
    assert written["producer.override.buffer.memory"] > MESSAGE_BYTES


def test_a_value_is_cut_one_unit_after_the_most() -> None:
    assert compose_properties("promptcrm") == {
        "column.truncate.to.41.chars": r"crm\.leads\.status",
        "column.truncate.to.7.chars": r"crm\.opportunities\.currency_code",
    }


def test_in_a_snapshot_the_source_cuts_what_has_no_limit() -> None:
    options = {name: value for name, value in compose_properties("promptads").items() if name.startswith("snapshot")}
    name = "snapshot.select.statement.overrides"
    assert options.keys() == {name, f"{name}.promptads.ad_groups", f"{name}.promptads.ads"}
    assert options[name] == "promptads.ad_groups,promptads.ads"
    assert options[f"{name}.promptads.ad_groups"] == (
        'select "id", "campaign_id", "name", left("target_audience"::text, 4194305) as "target_audience", '
        '"created_at", "updated_at", "deleted_at" from "promptads"."ad_groups"'
    )

"""The rights that schemas/kafka/rights.yml gives each login on the brokers."""

import pytest

from promptsales.errors import ConfigError
from promptsales.specs.rights import Party, Rights, read_rights
from promptsales.specs.stream import stream_contracts
from promptsales.stream.gaps import GROUP

CHANGES = {
    "promptads.promptads.campaigns", "promptads.promptads.ad_groups", "promptads.promptads.ads",
    "promptads.promptads.campaign_metrics", "promptads.promptads.ad_metrics",
    "promptcrm.crm.opportunity_stage_history", "promptcrm.crm.leads", "promptcrm.crm.opportunities",
}  # fmt: skip
CONTENT = {"promptcontent.content_assets", "promptcontent.prompt_history"}
STATE = {"connect.config", "connect.offset", "connect.status"}
BEATS = {"__debezium-heartbeat.promptads", "__debezium-heartbeat.promptcrm", "promptads.message", "promptcrm.message"}


def names(party: str, resource: str) -> dict[str, set[str]]:
    """Return the names of a party's topics or groups by operation."""
    operations: dict[str, set[str]] = {}
    for right in read_rights().all:
        if (right.user, right.resource) == (f"promptsales_{party}", resource):
            operations.setdefault(right.operation, set()).add(right.name)
    return operations


@pytest.mark.parametrize(
    ("party", "topics", "group"),
    [
        ("connect", {"read": STATE, "write": STATE | CHANGES | BEATS, "create": STATE, "describe_configs": STATE},
         "connect"),
        ("stream", {"read": CHANGES, "write": {f"{name}.dlq" for name in CHANGES}}, GROUP),
        ("content", {"read": CONTENT, "write": CONTENT}, "promptcontent"),
        ("alerts", {"write": {"promptads.alerts.v1"}}, None),
    ],
)  # fmt: skip
def test_rights(party: str, topics: dict[str, set[str]], group: str | None) -> None:
    assert names(party, "topic") == topics
    assert names(party, "group") == ({"read": {group}} if group else {})


def test_every_streamed_table_is_in_them() -> None:
    assert {contract.topic for contract in stream_contracts().values()} == CHANGES


def test_a_topic_that_does_not_exist_is_refused() -> None:
    rights = Rights(operator="x", parties={"y": Party(description="", reads=("promptads",))})
    with pytest.raises(ConfigError, match=r"rights\.yml: y: 'promptads' matches no topic of topics\.yml"):
        assert rights.all

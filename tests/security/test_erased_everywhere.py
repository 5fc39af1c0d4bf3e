"""Nothing of an erased person stays in any store, except what docs/how-to/erase-a-person.md names."""

from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]

from promptsales.bus.topics import admin as bus
from promptsales.settings import Settings
from promptsales.specs.topic import read_topics

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def test_every_message_expires_by_the_stated_time(stack: Settings) -> None:
    """Kafka deletes a segment when its last message has expired, so a segment must not be filled for long."""
    client = bus(stack.address("kafka"))
    topics = sorted(client.list_topics(timeout=20).topics.keys() & read_topics().topics.keys())
    answers = client.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in topics])
    longest: dict[str, float] = {}
    for resource, answer in answers.items():
        config = {name: entry.value for name, entry in answer.result().items()}
        assert config["cleanup.policy"] == "delete", resource
        # a message from the future would keep its segment, and all messages in it
        assert int(config["message.timestamp.after.max.ms"]) <= HOUR_MS, resource
        longest[resource.name] = (int(config["retention.ms"]) + int(config["segment.ms"])) / DAY_MS
    events = [name for name in topics if name.startswith(("promptads.promptads.", "promptcrm.crm.", "promptcontent."))]
    assert len(events) == 18
    assert {name: days for name, days in longest.items() if days > (31 if name.endswith(".dlq") else 8)} == {
        "promptads.alerts.v1": 31
    }

"""The plan for topics."""

from promptsales.bus.topics import ExistingTopic, TopicChange, differences
from promptsales.specs.topic import Topic, Topics, read_topics

GOAL = Topics(
    defaults={"cleanup.policy": "delete", "retention.ms": 1000},
    topics={"a": Topic(partitions=3), "b": Topic(partitions=1, config={"retention.ms": 5})},
    known=frozenset({"theirs"}),
)
AS_IT_SHALL_BE = {
    "a": ExistingTopic(3, {"cleanup.policy": "delete", "retention.ms": "1000", "other": "x"}),
    "b": ExistingTopic(1, {"cleanup.policy": "delete", "retention.ms": "5"}),
}


def plan(**existing: ExistingTopic) -> list[TopicChange]:
    return list(differences(GOAL, {**AS_IT_SHALL_BE, **existing}))


def test_nothing_to_do() -> None:
    assert plan(theirs=ExistingTopic(25, {})) == []


def test_missing_topics() -> None:
    assert [(item.action, item.topic, item.partitions, item.config) for item in differences(GOAL, {})] == [
        ("create", "a", 3, {"cleanup.policy": "delete", "retention.ms": "1000"}),
        ("create", "b", 1, {"cleanup.policy": "delete", "retention.ms": "5"}),
    ]


def test_partitions_only_grow() -> None:
    (grown,) = plan(a=AS_IT_SHALL_BE["a"]._replace(partitions=2))
    assert (grown.action, grown.partitions, grown.is_warning) == ("grow", 3, True)
    (shrunk,) = plan(a=AS_IT_SHALL_BE["a"]._replace(partitions=4))
    assert (shrunk.action, shrunk.is_warning) == ("shrink", True)


def test_configuration_that_differs() -> None:
    (changed,) = plan(b=ExistingTopic(1, {"cleanup.policy": "compact", "retention.ms": "5"}))
    assert (changed.action, changed.config, changed.is_warning) == ("configure", {"cleanup.policy": "delete"}, False)


def test_unknown_topic_is_left_alone() -> None:
    (change,) = plan(stray=ExistingTopic(1, {}))
    assert (change.action, change.topic, change.is_warning) == ("unmanaged", "stray", True)


def test_every_streamed_topic_has_a_dead_letter_topic() -> None:
    names = read_topics().topics.keys()
    streamed = {
        name for name in names if name.startswith(("promptads.promptads.", "promptcrm.crm.")) and "dlq" not in name
    }
    assert len(streamed) == 8
    assert {f"{name}.dlq" for name in streamed} <= names

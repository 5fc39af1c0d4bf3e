"""Who releases, replays and drops in the tests."""

from promptsales.feeds.manual_action import Decision

BY_HAND = Decision("cli:test", "a test releases it")

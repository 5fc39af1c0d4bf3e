"""Send dead letters (`promptsales/stream/dead_letters.py`), before their batch is acknowledged."""

from datetime import UTC, datetime
from typing import Any

from promptsales.stream.dead_letters import SUFFIX, DeadLetter, compose_headers


async def bury(app: Any, letter: DeadLetter) -> None:
    """Send a message to the dead letter topic of its topic; return when the brokers have it."""
    message = letter.message
    topic = app.topic(message.topic + SUFFIX, value_serializer="raw", key_serializer="raw")
    headers = compose_headers(letter, datetime.now(UTC))
    await (await topic.send(key=message.key, value=message.value, headers=headers))

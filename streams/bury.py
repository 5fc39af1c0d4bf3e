"""Dead letters on the bus: raw bytes, the reason in the headers, sent before the batch is acknowledged."""

from datetime import UTC, datetime
from typing import Any

from promptsales.stream.decode import EPOCH, DeadLetter

SUFFIX = ".dlq"


async def bury(app: Any, letter: DeadLetter) -> None:
    """Send a message to the dead letter topic of its topic; return when the brokers have it."""
    message = letter.message
    headers = {
        "error.message": letter.reason.encode(),
        "src.topic": message.topic.encode(),
        "src.partition": str(message.partition).encode(),
        "src.offset": str(message.offset).encode(),
        "ts": datetime.now(UTC).isoformat().encode(),
    }
    if message.epoch is not None:
        headers[EPOCH] = str(message.epoch).encode()
    topic = app.topic(message.topic + SUFFIX, value_serializer="raw", key_serializer="raw")
    await (await topic.send(key=message.key, value=message.value, headers=headers))

"""What happens to a message that cannot be decoded, or whose row PostgreSQL refuses: it becomes a dead letter.

The message goes to the dead letter topic of its topic, bytes unchanged and the reason in the headers, and into
``ops.dead_letter`` in the transaction of its batch. The stream goes on. ``decode.py`` finds what cannot be decoded,
``streams/delivery.py`` the row that PostgreSQL refuses; operators list and replay them by ``dead_letter_desk.py``.
"""

from datetime import datetime
from typing import NamedTuple

from promptsales.stream.messages import EPOCH, Message

# of the topic that takes a topic's dead letters
SUFFIX = ".dlq"


class DeadLetter(NamedTuple):
    """A message that could not be decoded or stored, and the reason, which holds no value of the message."""

    message: Message
    reason: str


def compose_headers(letter: DeadLetter, at: datetime) -> dict[str, bytes]:
    """Return the headers of a dead letter that is sent at an instant: why, and where the message came from."""
    message = letter.message
    headers = {
        "error.message": letter.reason.encode(),
        "src.topic": message.topic.encode(),
        "src.partition": str(message.partition).encode(),
        "src.offset": str(message.offset).encode(),
        "ts": at.isoformat().encode(),
    }
    return headers if message.epoch is None else headers | {EPOCH: str(message.epoch).encode()}

"""Record who released a row of quarantine, or replayed or dropped a dead letter, when and why."""

import getpass
from typing import Any, Literal, NamedTuple

import psycopg

from promptsales.errors import ConfigError
from promptsales.hashing.redaction import redact

Action = Literal["release", "replay", "drop"]

# a shorter reason says nothing, and a longer one is not read
SHORTEST, LONGEST = 3, 500

RECORD = """
    insert into ops.manual_action (action, feed, target, acted_by, reason)
    values (%(action)s, %(feed)s, %(target)s, %(acted_by)s, %(reason)s)
"""


class Decision(NamedTuple):
    """Who decides (``airflow:<user>`` or ``cli:<user>``), and why."""

    acted_by: str
    reason: str | None = None

    def describe(self, action: Action, feed: str, target: str) -> dict[str, Any]:
        """Return the values of ``RECORD``; the reason is kept without e-mail addresses and phone numbers."""
        reason = redact(self.reason) if self.reason else None
        return {"action": action, "feed": feed, "target": target, "acted_by": self.acted_by, "reason": reason}


def decide_as_user(reason: str | None) -> Decision:
    """Return a decision of the user who runs the command line.

    Raises:
        ConfigError: when a reason is given and too short or too long.
    """
    return Decision(f"cli:{getpass.getuser()}", check_reason(reason) if reason else None)


def check_reason(reason: str) -> str:
    """Return a reason without surrounding spaces.

    Raises:
        ConfigError: when it is too short or too long.
    """
    text = " ".join(reason.split())
    if not SHORTEST <= len(text) <= LONGEST:
        raise ConfigError(
            f"the reason has {len(text)} characters; write {SHORTEST} to {LONGEST}, so that others know why"
        )
    return text


def record(warehouse: psycopg.Connection, decision: Decision, action: Action, feed: str, target: str) -> None:
    """Record an action, in the caller's transaction."""
    warehouse.execute(RECORD, decision.describe(action, feed, target))

"""A notifier that posts JSON to any address: Airflow's own needs a package for that, this needs none."""

from typing import TYPE_CHECKING

import httpx
from airflow.sdk import BaseHook, BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

TIMEOUT_S = 10


class WebhookNotifier(BaseNotifier):
    """Posts ``{"subject": ..., "text": ...}`` to the ``url`` of an Airflow Connection.

    Chat systems read ``text``. Neither is a template.
    """

    def __init__(self, conn_id: str, subject: str, text: str) -> None:
        super().__init__()
        self.conn_id, self.subject, self.text = conn_id, subject, text

    def notify(self, context: "Context") -> None:
        """Post the message.

        Raises:
            httpx.HTTPError: when nothing answers there, or refuses.
        """
        address = BaseHook.get_connection(self.conn_id).extra_dejson["url"]
        body = {"subject": self.subject, "text": self.text}
        httpx.post(address, json=body, timeout=TIMEOUT_S).raise_for_status()

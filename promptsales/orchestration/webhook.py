"""A notifier that posts JSON to a URL; Airflow's own would need another provider package."""

from typing import TYPE_CHECKING

import httpx
from airflow.sdk import BaseHook, BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

TIMEOUT_S = 10
# what a chat takes for a mention, a link, emphasis or code, and a character that looks like it: chats have no escape in
# common, and a name at a source must neither page everybody nor disguise a link
_PLAIN = str.maketrans({"<": "\u2039", ">": "\u203a", "@": "\uff20", "*": "\u2217", "`": "'", "[": "(", "]": ")"})


class WebhookNotifier(BaseNotifier):
    """Post ``{"subject": ..., "text": ...}`` to the ``url`` of an Airflow Connection.

    Chat systems show ``text``. Neither value is rendered as a template, and neither holds a chat's markup.
    """

    def __init__(self, conn_id: str, subject: str, text: str) -> None:
        super().__init__()
        self.conn_id, self.subject, self.text = conn_id, subject, text

    def notify(self, context: "Context") -> None:
        """Post the message.

        Raises:
            httpx.HTTPError: when the server does not answer, or answers with an error.
        """
        address = BaseHook.get_connection(self.conn_id).extra_dejson["url"]
        body = {"subject": self.subject.translate(_PLAIN), "text": self.text.translate(_PLAIN)}
        httpx.post(address, json=body, timeout=TIMEOUT_S).raise_for_status()

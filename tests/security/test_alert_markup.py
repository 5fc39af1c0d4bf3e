"""A name at a source can neither page a chat's members nor disguise a link in an alert."""

from collections.abc import Iterator

import pytest

from promptsales.airflow_client.registration import alert_connections
from promptsales.orchestration import alerts
from promptsales.settings import Settings
from tests.support.inbox import Inbox, inbox


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """Run a web server, and give its address to Airflow."""
    with inbox() as servers:
        (address,) = alert_connections(Settings(alert_mail="", alert_webhook=servers.web_address)).values()
        monkeypatch.setenv("AIRFLOW_CONN_ALERT_WEBHOOK", address)
        yield servers


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<!channel>", "\u2039!channel\u203a"),
        ("<https://evil.example|the log>", "\u2039https://evil.example|the log\u203a"),
        ("[the log](https://evil.example)", "(the log)(https://evil.example)"),
        ("@everyone @here <@U1>", "\uff20everyone \uff20here \u2039\uff20U1\u203a"),
        ("*bold* `code` ```block```", "\u2217bold\u2217 'code' '''block'''"),
        ("\x1b[31mred\x07\r\u202e", r"\x1b(31mred\x07\r\u202e"),
    ],
)
def test_a_name_is_shown_as_text(box: Inbox, name: str, shown: str) -> None:
    alerts.send(f"{name} is late", f"held by session 7 of crm ({name}, idle);\nsee http://127.0.0.1:1/?a=1&b=c_d~e")
    assert box.posts == [{
        "subject": f"{shown} is late",
        "text": f"held by session 7 of crm ({shown}, idle);\nsee http://127.0.0.1:1/?a=1&b=c_d~e",
    }]  # fmt: skip

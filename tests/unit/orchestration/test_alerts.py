"""Alerts reach a real mail server and a real web server, say what is wrong, and hold no personal value."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from promptsales.airflow_client.registration import alert_connections
from promptsales.errors import BatchBlocked, ConfigError
from promptsales.feeds.models import FeedProgress, Staged
from promptsales.orchestration import alerts
from promptsales.settings import Settings
from tests.support.inbox import Inbox, inbox

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """Run both servers, with the connections that the stack registers from the settings."""
    with inbox() as servers:
        ways = Settings(alert_mail=servers.mail_address, alert_webhook=servers.web_address)
        for name, value in alert_connections(ways).items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", value)
        yield servers


def failure(error: Exception) -> dict[str, object]:
    ti = SimpleNamespace(
        dag_id="promptcrm_hourly", task_id="leads.check", run_id="r1", try_number=2, log_url="http://log"
    )
    return {"ti": ti, "exception": error}


def test_failure_of_a_task(box: Inbox) -> None:
    alerts.on_failure(failure(BatchBlocked("feed leads: {{ rule }} <b> (3 rows)")))
    assert box.posts == [{
        "subject": "promptcrm_hourly: leads.check failed",
        "text": "promptcrm_hourly, run r1, task leads.check, try 2: feed leads: {{ rule }} \u2039b\u203a (3 rows)\nhttp://log",
    }]  # fmt: skip
    (mail,) = box.mails
    assert (mail["subject"], mail["from"], mail["to"]) == (
        "promptcrm_hourly: leads.check failed", "pipeline@x.example", "ops@x.example",
    )  # fmt: skip
    body = mail.get_body()
    assert body is not None
    assert "task leads.check, try 2: feed leads: {{ rule }} &lt;b&gt; (3 rows)<br>" in body.get_content()


def test_a_text_is_shown_as_it_is_on_lines_of_ours(box: Inbox) -> None:
    alerts.send("[/]: \x1b[2J\nBcc: x@x.example", "{% raw %} \u202e <b> \ud800\nsecond line")
    assert box.posts == [{
        "subject": "(/): \\x1b(2J\\nBcc: x\uff20x.example",
        "text": "{% raw %} \\u202e \u2039b\u203a \\ud800\nsecond line",
    }]  # fmt: skip
    (mail,) = box.mails
    assert (mail["subject"], mail["bcc"]) == (r"[/]: \x1b[2J\nBcc: x@x.example", None)
    body = mail.get_body()
    assert body is not None
    assert body.get_content().splitlines() == [r"{% raw %} \u202e &lt;b&gt; \ud800<br>", "second line"]


def test_a_webhooks_address_is_its_key(box: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        alerts.send("subject", "text")
    assert len(box.posts) == 1
    assert box.web_address not in caplog.text


def test_an_error_that_is_not_ours_may_quote_a_row(box: Inbox) -> None:
    alerts.on_failure(failure(KeyError("ann@example.com")))
    assert "ann@example.com" not in repr(box.posts) + repr([mail.as_string() for mail in box.mails])
    assert "try 2: KeyError" in box.posts[0]["text"]


def test_a_missed_deadline(box: Inbox) -> None:
    alerts.on_late({"dag_run": {"dag_id": "promptcrm_hourly", "dag_run_id": "scheduled__1"}})
    assert box.posts == [{
        "subject": "promptcrm_hourly is late",
        "text": "promptcrm_hourly, run scheduled__1, is still running 45 minutes after it was queued",
    }]  # fmt: skip
    assert len(box.mails) == 1


def test_a_held_watermark(box: Inbox) -> None:
    progress = FeedProgress(
        last_sync_timestamp=NOON, complete_through=NOON, held_since=NOON, held_by="session 7 of crm (import, idle)"
    )
    alerts.alert_held_watermark("promptcrm", Staged(
        feed="leads", extraction=1, window=None, window_start=None, read_at=NOON, started_at=NOON, triggered_by="test",
        progress=progress, extracted=0, suppressed=0, unchanged=0, held=0,
    ))  # fmt: skip
    assert box.posts[0]["subject"] == "promptcrm: complete only through 2026-01-01 12:00:00 UTC"
    assert "held since 2026-01-01 12:00:00 UTC by session 7 of crm (import, idle)." in box.posts[0]["text"]


def test_nobody_is_told_where_nothing_is_set() -> None:
    assert alert_connections(Settings(alert_mail="", alert_webhook="")) == {}
    alerts.on_late({"dag_run": {"dag_id": "d"}})


def test_a_dead_mail_server_keeps_the_webhook(
    box: Inbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dead = json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": 1, "extra": json.dumps({
        "from_email": "a@x.example", "to_email": "b@x.example", "disable_ssl": True, "retry_limit": 1})})  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_ALERT_MAIL", dead)
    alerts.on_late({"dag_run": {"dag_id": "d", "dag_run_id": "r"}})
    assert len(box.posts) == 1
    assert "the alert by alert_mail was not delivered" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "smtp://host:25",
        "nonsense",
        "smtp://host:25/?from_email=a@x.example",
        "smtp://host:25/?from_email=a@x.example&to_email=b@x.example&disable_ssl=false",
    ],
)
def test_a_mail_setting_that_cannot_be(text: str) -> None:
    with pytest.raises(ConfigError, match="setting alert_mail must be like smtp://"):
        alert_connections(Settings(alert_mail=text))

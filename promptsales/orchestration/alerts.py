"""Send an alert by mail and webhook when a task fails, a run is late, or something holds a watermark.

Each channel is an Airflow Connection, built from the settings ``ALERT_MAIL`` and ``ALERT_WEBHOOK``. Airflow reads it
from a file when an alert is sent. A channel without a connection is off. A connection created in Airflow's UI works for
tasks but not for deadlines, because Airflow 3.3 does not let callbacks read connections from its database.

Messages name DAGs, tasks, feeds and database sessions, and hold no personal data.
"""

import html
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSecretsBackendAccessDenied

from promptsales.errors import PipelineError
from promptsales.feeds.models import Staged
from promptsales.monitoring.findings import show_second
from promptsales.printable import logger, printable

MAIL, WEBHOOK = "alert_mail", "alert_webhook"

# an hourly run that takes longer is about to delay the next one
LATE = timedelta(minutes=45)

log = logger(__name__)


def send(subject: str, text: str) -> None:
    """Send an alert through every channel; log a channel that fails and continue with the others.

    Neither text is rendered as a template, and control characters are escaped.

    Args:
        subject: one line.
        text: what happened and what to do.
    """
    for name, notifier in _notifiers(printable(subject), printable(text, keep="\n")):
        try:
            notifier({})
        except Exception as error:
            # log the type only: the message may quote an address or a password
            log.error("the alert by %s was not delivered: %s", name, type(error).__name__)


def _notifiers(subject: str, text: str) -> Iterator[tuple[str, BaseNotifier]]:
    if (mail := _connection(MAIL)) is not None:
        from promptsales.orchestration.mail import MailNotifier

        body = html.escape(text).replace("\n", "<br>\n")
        to = mail.extra_dejson["to_email"]
        yield MAIL, MailNotifier(to=to, subject=subject, html_content=body, smtp_conn_id=MAIL)
    if _connection(WEBHOOK) is not None:
        from promptsales.orchestration.webhook import WebhookNotifier

        yield WEBHOOK, WebhookNotifier(WEBHOOK, subject, text)


def _connection(conn_id: str) -> Any:
    try:
        return BaseHook.get_connection(conn_id)
    except (AirflowNotFoundException, AirflowSecretsBackendAccessDenied):
        return None


def on_failure(context: Any) -> None:
    """Alert that a task has failed and will not be retried; the `on_failure_callback` of every task."""
    ti, error = context["ti"], context.get("exception")
    # only our own error messages are known to hold no personal data
    reason = str(error) if isinstance(error, PipelineError) else type(error).__name__
    send(
        f"{ti.dag_id}: {ti.task_id} failed",
        f"{ti.dag_id}, run {ti.run_id}, task {ti.task_id}, try {ti.try_number}: {reason}\n{ti.log_url}",
    )


def on_late(context: Any = None) -> None:
    """Alert that a run is not done at its deadline; the callback of `DEADLINE`."""
    run = (context or {}).get("dag_run", {})
    dag_id, run_id = run.get("dag_id"), run.get("dag_run_id") or run.get("run_id")
    minutes = int(LATE.total_seconds() // 60)
    send(f"{dag_id} is late", f"{dag_id}, run {run_id}, is still running {minutes} minutes after it was queued")


def alert_held_watermark(system: str, staged: Staged) -> None:
    """Send one alert for all feeds of a system whose watermarks a transaction at the source holds back for too long.

    Call it once per transaction (see `state.claim_hold_alert`).
    """
    feed, progress = staged.feed, staged.progress
    through = show_second(progress.complete_through)
    send(
        f"{system}: complete only through {through}",
        f"{feed} and every other feed of {system} are complete only through {through}: held since "
        f"{show_second(progress.held_since)} by {progress.held_by}.\n"
        "Newer rows are still loaded, and are read again every hour until that transaction ends. This alert is sent "
        "once; `promptsales freshness` shows whether the watermark is still held.",
    )


# a SyncCallback runs in the executor and needs no triggerer; it is given by name because another process imports it
DEADLINE = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=LATE,
    callback=SyncCallback("promptsales.orchestration.alerts.on_late"),
    name="done before the next run",
)

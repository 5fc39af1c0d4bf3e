"""Who is told when a task fails, a run is late, or something holds a watermark: by mail, by webhook, or nobody.

Both ways are Airflow Connections in the environment of its processes, made from the settings ``ALERT_MAIL`` and
``ALERT_WEBHOOK``; one that is not there is switched off. Made by hand in Airflow, one serves tasks but no deadline: to
callbacks Airflow 3.3 denies the connections of its database.

Messages name DAGs, tasks, feeds and sessions, and hold no personal value.
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
from promptsales.printable import logger, printable

MAIL, WEBHOOK = "alert_mail", "alert_webhook"

# an hourly run that is not done by then will be in the way of the next one
LATE = timedelta(minutes=45)

log = logger(__name__)


def send(subject: str, text: str) -> None:
    """Tell everyone who is to be told; a way that fails is logged, and the others are taken all the same.

    Neither text is read as a template, and every character of it can be seen.

    Args:
        subject: one line.
        text: what happened and what to do.
    """
    for name, notifier in _notifiers(printable(subject), printable(text, keep="\n")):
        try:
            notifier({})
        except Exception as error:
            # its text may quote an address or a password
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
    """A task has failed and is not tried again: `on_failure_callback` of every task."""
    ti, error = context["ti"], context.get("exception")
    # only our own errors are known to hold no personal value
    reason = str(error) if isinstance(error, PipelineError) else type(error).__name__
    send(
        f"{ti.dag_id}: {ti.task_id} failed",
        f"{ti.dag_id}, run {ti.run_id}, task {ti.task_id}, try {ti.try_number}: {reason}\n{ti.log_url}",
    )


def on_late(context: Any = None) -> None:
    """A run is not done at its deadline: the callback of `DEADLINE`."""
    run = (context or {}).get("dag_run", {})
    dag_id, run_id = run.get("dag_id"), run.get("dag_run_id") or run.get("run_id")
    minutes = int(LATE.total_seconds() // 60)
    send(f"{dag_id} is late", f"{dag_id}, run {run_id}, is not done {minutes} minutes after it was queued")


def watermark_is_held(system: str, staged: Staged) -> None:
    """Send one alert for all feeds of a system whose watermark is held for too long (see `state.claim_hold_alert`)."""
    feed, progress = staged.feed, staged.progress
    send(
        f"{system}: complete through {progress.complete_through} only",
        f"{feed}, and with it every feed of {system}, is complete through {progress.complete_through} only: held since "
        f"{progress.held_since} by {progress.held_by}.\n"
        "Newer rows load all the same, and are read again each hour until that transaction ends. It is told once; "
        "`promptsales freshness` shows how long it lasts.",
    )


# run by the executor, so that no triggerer is needed; by name, as it runs elsewhere
DEADLINE = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_QUEUED_AT,
    interval=LATE,
    callback=SyncCallback("promptsales.orchestration.alerts.on_late"),
    name="done before the next run",
)

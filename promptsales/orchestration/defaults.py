"""The default arguments of every task."""

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from promptsales.errors import TransientError
from promptsales.orchestration.alerts import on_failure

# Only transient errors are retried. Any other exception, one of ours or a bug, would fail again in the same way.
# A killed worker or a timeout raises no Exception, so Airflow's own retries handle it.
RETRY_POLICY = ExceptionRetryPolicy(
    [
        RetryRule(TransientError, RetryAction.RETRY, reason="may succeed later"),
        RetryRule(Exception, RetryAction.FAIL, reason="fails again until somebody fixes the cause"),
    ]
)

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "promptsales",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(minutes=50),
    "on_failure_callback": on_failure,
}

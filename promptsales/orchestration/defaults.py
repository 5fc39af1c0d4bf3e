"""What every task has unless it says otherwise."""

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from promptsales.errors import TransientError
from promptsales.orchestration.alerts import on_failure

# Only what may pass by itself is tried again. Any other exception, ours or a bug, fails at once: the same call would
# fail the same way. A killed worker or a timeout raises no Exception, so it falls through to Airflow's own retries.
RETRY_POLICY = ExceptionRetryPolicy(
    [
        RetryRule(TransientError, RetryAction.RETRY, reason="may succeed later"),
        RetryRule(Exception, RetryAction.FAIL, reason="would fail again until somebody acts"),
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

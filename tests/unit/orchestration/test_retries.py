"""What Airflow retries and what it does not, by Airflow's own policy."""

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowTaskTimeout

from promptsales.errors import BatchBlocked, ConfigError, Fenced, SourceRefused, TerminalError, TransientError
from promptsales.orchestration.defaults import RETRY_POLICY


def _decide(error: BaseException) -> RetryAction:
    return RETRY_POLICY.evaluate(error, try_number=1, max_tries=3).action


def test_transient() -> None:
    assert _decide(TransientError("connection lost")) is RetryAction.RETRY


@pytest.mark.parametrize("error", [TerminalError, ConfigError, SourceRefused, Fenced, BatchBlocked])
def test_terminal(error: type[TerminalError]) -> None:
    assert _decide(error("no")) is RetryAction.FAIL


def test_bug() -> None:
    assert _decide(KeyError("oops")) is RetryAction.FAIL


def test_timeout_is_left_to_airflow() -> None:
    assert _decide(AirflowTaskTimeout()) is RetryAction.DEFAULT

"""How answers of Airflow are read: what is retried, what is reported, and what is not repeated."""

import httpx
import pytest

from promptsales.airflow_client.api import AirflowClient, AlreadyExists, NotFound, error_of, error_text, last_failure
from promptsales.errors import ConfigError, TerminalError, TransientError

REFUSALS = [
    (401, ConfigError),
    (403, ConfigError),
    (404, NotFound),
    (409, AlreadyExists),
    (422, TerminalError),
    (429, TransientError),
    (500, TransientError),
    (503, TransientError),
]


@pytest.mark.parametrize(("code", "kind"), REFUSALS)
def test_refusal(code: int, kind: type[Exception]) -> None:
    assert type(error_of("GET", "/api/v2/pools", httpx.Response(code))) is kind


def test_refusal_says_why() -> None:
    answer = httpx.Response(409, json={"detail": "run exists"})
    assert str(error_of("POST", "/x", answer)) == "airflow: POST /x: 409 Conflict: run exists"


def test_refusal_does_not_repeat_what_was_sent() -> None:
    answer = httpx.Response(422, json={"detail": [{"loc": ["port"], "msg": "no number", "input": "hunter2"}]})
    assert "hunter2" not in str(error_of("PATCH", "/api/v2/connections", answer))


def test_nobody_listens() -> None:
    with (
        AirflowClient("http://admin:hunter2@127.0.0.1:9", patience_s=0) as airflow,
        pytest.raises(TransientError) as caught,
    ):
        airflow.get_pools()
    assert "http://127.0.0.1:9: ConnectError: 127.0.0.1:9 refuses the connection" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_address_has_no_password() -> None:
    with AirflowClient("https://me:hunter%202@airflow.example/prefix") as airflow:
        assert (airflow.address, airflow.user, airflow.password) == (
            "https://airflow.example/prefix",
            "me",
            "hunter 2",
        )


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"level": "info", "event": "all is well"}, ""),
        ({"level": "error", "event": "it broke"}, "it broke"),
        (
            {
                "level": "error",
                "event": "Task failed",
                "error_detail": [{"exc_type": "Fenced", "exc_value": "overtaken"}],
            },
            "Fenced: overtaken",
        ),
    ],
)
def test_error_text(event: dict[str, object], text: str) -> None:
    assert error_text(event) == text


def test_last_failure_is_the_exception_not_the_alert_about_it() -> None:
    raised = {"level": "error", "error_detail": [{"exc_type": "ConfigError", "exc_value": "no"}]}
    unsent = {"level": "error", "event": "the alert was not delivered"}
    assert last_failure([raised, unsent]) == "ConfigError: no"
    assert last_failure([unsent, {"level": "info", "event": "done"}]) == "the alert was not delivered"
    assert last_failure([]) == ""

"""The part of Airflow's REST API that the command line and the tests need, with types."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import BaseModel, TypeAdapter
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from promptsales.addresses import split_login
from promptsales.airflow_client.models import Connection, Pool, Run, TaskState
from promptsales.errors import ConfigError, TerminalError, TransientError
from promptsales.failures import rest

POLL_S = 0.3
TIMEOUT_S = 30
# how long a call is tried again when the server is away or overloaded, e.g. while it restarts
PATIENCE_S = 120
# a DAG is known once the DAG processor has read its file
PARSED_S = 60


class Airflow:
    """A client that is logged in; use it in a ``with`` statement.

    Every call raises TransientError when the server cannot be reached for ``PATIENCE_S``, and TerminalError when it
    refuses the call; neither text holds what was sent.
    """

    def __init__(self, address: str, patience_s: float = PATIENCE_S) -> None:
        """Nothing is called yet.

        Args:
            address: ``http://user:password@host:port``.
            patience_s: for how long a call is tried again, in seconds.
        """
        self.address, login = split_login(address)
        self.user, self.password = login or ("", "")
        self._patience_s = patience_s
        # no proxy of the environment: the stack is on this machine or in this network
        self._client = httpx.Client(base_url=self.address, timeout=TIMEOUT_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def pause(self, dag_id: str, is_paused: bool = True) -> None:
        """Keep a DAG's runs from starting, or let them; waits until the DAG is known."""
        for attempt in _until_known(dag_id):
            with attempt:
                self._call("PATCH", f"dags/{dag_id}", json={"is_paused": is_paused})

    def trigger(
        self, dag_id: str, run_id: str, conf: dict[str, Any] | None = None, run_after: datetime | None = None
    ) -> Run:
        """Start a run by hand, without a logical date; waits until the DAG is known.

        Args:
            dag_id: the DAG.
            run_id: what the run shall be called; repeating a call with the same one starts no second run.
            conf: what the DAG's form would hold.
            run_after: of several runs that wait, the one with the earliest starts first; None for now.
        """
        body = {"dag_run_id": run_id, "conf": conf or {}, "logical_date": None}
        if run_after:
            body["run_after"] = run_after.isoformat()
        for attempt in _until_known(dag_id):
            with attempt:
                try:
                    return Run.model_validate(self._call("POST", f"dags/{dag_id}/dagRuns", json=body))
                except AlreadyThere:
                    return self.run(dag_id, run_id)
        raise AssertionError("unreachable: the last attempt raises")

    def run(self, dag_id: str, run_id: str) -> Run:
        """How a run is."""
        return Run.model_validate(self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}"))

    def runs(self, dag_id: str, run_type: str) -> list[Run]:
        """The latest hundred runs of a DAG that came to be in one way, the latest first."""
        query = {"run_type": run_type, "order_by": "-run_after", "limit": 100}
        return TypeAdapter(list[Run]).validate_python(
            self._call("GET", f"dags/{dag_id}/dagRuns", params=query)["dag_runs"]
        )

    def next_run(self, dag_id: str) -> datetime | None:
        """When the schedule starts a DAG's next run; a moment that has passed while it is paused, or is late.

        None where no schedule starts it, or as many runs as may be are at work.
        """
        due = self._call("GET", f"dags/{dag_id}")["next_dagrun_run_after"]
        return due and datetime.fromisoformat(due)

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """The tasks of a run."""
        return TypeAdapter(list[TaskState]).validate_python(
            self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        )

    def wait(
        self, run: Run, timeout_s: float, on_poll: Callable[[Run, list[TaskState]], None] = lambda run, tasks: None
    ) -> tuple[Run, list[TaskState]]:
        """Wait until a run has ended; returns it and its tasks as they are then.

        Args:
            run: the run.
            timeout_s: for how long, in seconds.
            on_poll: told how things are, again and again.

        Raises:
            TransientError: when it has not ended in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            # in this order: the tasks of a run that has ended change no more
            run = self.run(run.dag_id, run.run_id)
            tasks = self.tasks(run.dag_id, run.run_id)
            on_poll(run, tasks)
            if run.is_done:
                return run, tasks
            if time.monotonic() > deadline:
                raise TransientError(f"{run.dag_id} has not ended after {timeout_s:.0f} s: {self.page(run)}")
            time.sleep(POLL_S)

    def page(self, run: Run, task: TaskState | None = None) -> str:
        """Where people see a run, or a task of it."""
        page = f"{self.address}/dags/{run.dag_id}/runs/{run.run_id}"
        return f"{page}/tasks/{task.task_id}" if task else page

    def last_error(self, run: Run, task: TaskState) -> str:
        """What a failed task failed by, in one line; empty when it said nothing."""
        path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        events = self._call("GET", path, params={"full_content": True})["content"]
        return last_failure([event for event in events if isinstance(event, dict)])

    def clear(self, dag_id: str, run_id: str) -> None:
        """Make every task of a finished run run again."""
        self._call("POST", f"dags/{dag_id}/dagRuns/{run_id}/clear", json={"dry_run": False})

    def backfill(self, dag_id: str, start: datetime, end: datetime) -> int:
        """Start Airflow's own backfill of the intervals that begin from ``start`` to ``end``; returns its id."""
        body = {
            "dag_id": dag_id,
            "from_date": start.isoformat(),
            "to_date": end.isoformat(),
            "reprocess_behavior": "completed",
            "max_active_runs": 1,
        }
        return int(self._call("POST", "backfills", json=body)["id"])

    def backfill_is_done(self, backfill_id: int) -> bool:
        """Whether all runs of a backfill have ended."""
        return self._call("GET", f"backfills/{backfill_id}")["completed_at"] is not None

    def connections(self) -> dict[str, dict[str, Any]]:
        """Every connection by its id, passwords masked."""
        found = self._call("GET", "connections", params={"limit": 1000})["connections"]
        return {connection["connection_id"]: connection for connection in found}

    def pools(self) -> set[str]:
        """The names of the pools."""
        return {pool["name"] for pool in self._call("GET", "pools", params={"limit": 1000})["pools"]}

    def put_connections(self, connections: Iterable[Connection]) -> None:
        """Create connections, or replace those of the same id."""
        self._create("connections", connections)

    def put_pools(self, pools: Iterable[Pool]) -> None:
        """Create pools, or replace those of the same name."""
        self._create("pools", pools)

    def _create(self, kind: str, items: Iterable[BaseModel]) -> None:
        entities = [item.model_dump(by_alias=True) for item in items]
        if not entities:
            return
        action = {"action": "create", "entities": entities, "action_on_existence": "overwrite"}
        errors = self._call("PATCH", kind, json={"actions": [action]}).get("create", {}).get("errors", [])
        if errors:
            raise TerminalError(f"airflow at {self.address} refuses {len(errors)} of {len(entities)} {kind}")

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        for attempt in Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_fixed(POLL_S),
            stop=stop_after_delay(self._patience_s),
            reraise=True,
        ):
            with attempt:
                if "Authorization" not in self._client.headers:
                    self._log_in()
                answer = self._send(method, f"/api/v2/{path}", **arguments)
                return rest.read_json(f"airflow at {self.address}: {method} {path}", answer) if answer.content else None

    def _log_in(self) -> None:
        body = {"username": self.user, "password": self.password}
        what = f"airflow at {self.address}: POST /auth/token"
        try:
            answer = rest.read_json(what, self._send("POST", "/auth/token", json=body))
        except Unknown:
            answer = None
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise TerminalError(
                f"{what} gives no token: no Airflow 3 answers there; correct airflow in PROMPTSALES_DSN"
            )
        self._client.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise rest.unreachable("airflow", self.address, error) from None
        if answer.is_error:
            raise refusal(method, path, answer)
        return answer


class Unknown(TerminalError):
    """Airflow knows no such thing (yet)."""


class AlreadyThere(TerminalError):
    """Airflow has this already."""


def _until_known(dag_id: str) -> Retrying:
    def give_up(state: object) -> None:
        raise TerminalError(
            f"airflow knows no DAG {dag_id} after {PARSED_S} s; its import errors are on the first page of the UI"
        )

    return Retrying(
        retry=retry_if_exception_type(Unknown),
        wait=wait_fixed(POLL_S),
        stop=stop_after_delay(PARSED_S),
        retry_error_callback=give_up,
    )


def refusal(method: str, path: str, answer: httpx.Response) -> Exception:
    """What an answer that refuses a call means for the caller."""
    what = f"airflow: {method} {path}: {answer.status_code} {answer.reason_phrase}"
    if answer.status_code in (429, 500, 502, 503, 504):
        return TransientError(what)
    if answer.status_code in (401, 403):
        return ConfigError(f"{what}; is the login that of `promptsales dsn airflow`?")
    kind = {404: Unknown, 409: AlreadyThere}.get(answer.status_code, TerminalError)
    return kind(f"{what}{_detail(answer)}")


def _detail(answer: httpx.Response) -> str:
    """The reason, when it is a plain text: a list of invalid fields would repeat what was sent."""
    try:
        detail = answer.json().get("detail")
    except ValueError:
        return ""
    return f": {detail}" if isinstance(detail, str) else ""


def error_text(event: dict[str, Any]) -> str:
    """What an event of a task's log says about an error; the exception itself where there is one."""
    if str(event.get("level")) not in ("error", "critical"):
        return ""
    for error in event.get("error_detail") or []:
        return f"{error.get('exc_type')}: {error.get('exc_value')}"
    return str(event.get("event", ""))


def last_failure(events: list[dict[str, Any]]) -> str:
    """The last exception of a task's log, else the last error: an alert that could not be sent speaks after it."""
    raised = [event for event in events if event.get("error_detail")]
    said = [error_text(event) for event in (raised or events)]
    return next((text for text in reversed(said) if text), "")

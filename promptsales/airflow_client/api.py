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
from promptsales.airflow_client.models import AirflowConnection, DagRun, Pool, Schedule, TaskState
from promptsales.certificates import trusted
from promptsales.errors import ConfigError, TerminalError, TransientError
from promptsales.failures import rest

POLL_S = 0.3
TIMEOUT_S = 30
# how long a call is retried while the server is down or overloaded, e.g. while it restarts
PATIENCE_S = 120
# a DAG exists only once the DAG processor has parsed its file
PARSED_S = 60


class AirflowClient:
    """A client that logs in with its first call; use it in a ``with`` statement.

    Every call raises TransientError when the server cannot be reached for ``PATIENCE_S``, and TerminalError when it
    rejects the call. Neither message repeats the request body, which may hold passwords.
    """

    def __init__(self, address: str, patience_s: float = PATIENCE_S) -> None:
        """Create the client without sending a request.

        Args:
            address: ``http://user:password@host:port``.
            patience_s: how long a call is retried, in seconds.
        """
        self.address, login = split_login(address)
        self.user, self.password = login or ("", "")
        self._patience_s = patience_s
        # ignore HTTP_PROXY and the like: the stack runs on this machine or in this network
        self._client = httpx.Client(base_url=self.address, timeout=TIMEOUT_S, trust_env=False, verify=trusted())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def pause(self, dag_id: str, is_paused: bool = True) -> None:
        """Pause or unpause a DAG; wait until Airflow has parsed it."""
        for attempt in _until_known(dag_id):
            with attempt:
                self._call("PATCH", f"dags/{dag_id}", json={"is_paused": is_paused})

    def trigger(
        self, dag_id: str, run_id: str, conf: dict[str, Any] | None = None, run_after: datetime | None = None
    ) -> DagRun:
        """Trigger a manual run without a logical date; wait until Airflow has parsed the DAG.

        Args:
            dag_id: the DAG.
            run_id: the id of the new run; a second call with the same id returns the existing run.
            conf: values for the DAG's params.
            run_after: of several queued runs, the one with the earliest ``run_after`` starts first; None means now.
        """
        body = {"dag_run_id": run_id, "conf": conf or {}, "logical_date": None}
        if run_after:
            body["run_after"] = run_after.isoformat()
        for attempt in _until_known(dag_id):
            with attempt:
                try:
                    return DagRun.model_validate(self._call("POST", f"dags/{dag_id}/dagRuns", json=body))
                except AlreadyExists:
                    return self.get_run(dag_id, run_id)
        raise AssertionError("unreachable: the last attempt raises")

    def get_run(self, dag_id: str, run_id: str) -> DagRun:
        """Return a run in its current state."""
        return DagRun.model_validate(self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}"))

    def get_runs(self, dag_id: str, run_type: str) -> list[DagRun]:
        """Return the latest 100 runs of one type of a DAG, newest first."""
        query = {"run_type": run_type, "order_by": "-run_after", "limit": 100}
        return TypeAdapter(list[DagRun]).validate_python(
            self._call("GET", f"dags/{dag_id}/dagRuns", params=query)["dag_runs"]
        )

    def get_schedule(self, dag_id: str) -> Schedule:
        """Return whether a DAG is paused and when its next run is due; wait until Airflow has parsed it."""
        for attempt in _until_known(dag_id):
            with attempt:
                return Schedule.model_validate(self._call("GET", f"dags/{dag_id}"))
        raise AssertionError("unreachable: the last attempt raises")

    def get_tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """Return the task instances of a run."""
        return TypeAdapter(list[TaskState]).validate_python(
            self._call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        )

    def wait(
        self,
        run: DagRun,
        timeout_s: float,
        on_poll: Callable[[DagRun, list[TaskState]], None] = lambda run, tasks: None,
    ) -> tuple[DagRun, list[TaskState]]:
        """Wait until a run has ended; return its final state and that of its tasks.

        Args:
            run: the run.
            timeout_s: how long to wait, in seconds.
            on_poll: called with the current state after each poll.

        Raises:
            TransientError: when the run has not ended in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            # in this order: the tasks of a run that has ended no longer change
            run = self.get_run(run.dag_id, run.run_id)
            tasks = self.get_tasks(run.dag_id, run.run_id)
            on_poll(run, tasks)
            if run.is_done:
                return run, tasks
            if time.monotonic() > deadline:
                raise TransientError(
                    f"{run.dag_id} is still {run.state} after {timeout_s:.0f} s; look at {self.url_of(run)}"
                )
            time.sleep(POLL_S)

    def url_of(self, run: DagRun, task: TaskState | None = None) -> str:
        """Return the address of the page that shows a run, or one of its tasks, in Airflow's UI."""
        page = f"{self.address}/dags/{run.dag_id}/runs/{run.run_id}"
        return f"{page}/tasks/{task.task_id}" if task else page

    def get_last_error(self, run: DagRun, task: TaskState) -> str:
        """Return the error of a failed task in one line; empty when its log holds none."""
        path = f"dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        events = self._call("GET", path, params={"full_content": True})["content"]
        return last_failure([event for event in events if isinstance(event, dict)])

    def clear(self, dag_id: str, run_id: str) -> None:
        """Clear every task of a finished run, so that Airflow runs them again."""
        self._call("POST", f"dags/{dag_id}/dagRuns/{run_id}/clear", json={"dry_run": False})

    def start_backfill(self, dag_id: str, start: datetime, end: datetime) -> int:
        """Start an Airflow backfill of the intervals that begin from ``start`` to ``end``; return its id."""
        body = {
            "dag_id": dag_id,
            "from_date": start.isoformat(),
            "to_date": end.isoformat(),
            "reprocess_behavior": "completed",
            "max_active_runs": 1,
        }
        return int(self._call("POST", "backfills", json=body)["id"])

    def is_backfill_done(self, backfill_id: int) -> bool:
        """Return whether all runs of a backfill have ended."""
        return self._call("GET", f"backfills/{backfill_id}")["completed_at"] is not None

    def get_connections(self) -> dict[str, dict[str, Any]]:
        """Return every connection by its id, with passwords masked."""
        connections = self._call("GET", "connections", params={"limit": 1000})["connections"]
        return {connection["connection_id"]: connection for connection in connections}

    def get_pools(self) -> set[str]:
        """Return the names of the pools."""
        return {pool["name"] for pool in self._call("GET", "pools", params={"limit": 1000})["pools"]}

    def put_connections(self, connections: Iterable[AirflowConnection]) -> None:
        """Create connections; replace existing ones with the same id."""
        self._create("connections", connections)

    def delete_connections(self, connection_ids: Iterable[str]) -> None:
        """Delete connections; those that do not exist are skipped."""
        if entities := sorted(connection_ids):
            action = {"action": "delete", "entities": entities, "action_on_non_existence": "skip"}
            self._call("PATCH", "connections", json={"actions": [action]})

    def put_pools(self, pools: Iterable[Pool]) -> None:
        """Create pools; replace existing ones with the same name."""
        self._create("pools", pools)

    def _create(self, kind: str, items: Iterable[BaseModel]) -> None:
        entities = [item.model_dump(by_alias=True) for item in items]
        if not entities:
            return
        action = {"action": "create", "entities": entities, "action_on_existence": "overwrite"}
        errors = self._call("PATCH", kind, json={"actions": [action]}).get("create", {}).get("errors", [])
        if errors:
            raise TerminalError(
                f"airflow at {self.address} rejected {len(errors)} of {len(entities)} {kind}; its API server's log "
                "has the reasons"
            )

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
        request = f"airflow at {self.address}: POST /auth/token"
        try:
            answer = rest.read_json(request, self._send("POST", "/auth/token", json=body))
        except NotFound:
            answer = None
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise TerminalError(
                f"{request} returned no token: the server there is not Airflow 3; correct airflow in PROMPTSALES_DSN"
            )
        self._client.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise rest.unreachable("airflow", self.address, error) from None
        if answer.is_error:
            raise error_of(method, path, answer)
        return answer


class NotFound(TerminalError):
    """Airflow does not have the requested object, or does not have it yet."""


class AlreadyExists(TerminalError):
    """Airflow already has an object with this id."""


def _until_known(dag_id: str) -> Retrying:
    def give_up(state: object) -> None:
        raise TerminalError(
            f"airflow has no DAG {dag_id} after {PARSED_S} s; look for an import error on the home page of its UI"
        )

    return Retrying(
        retry=retry_if_exception_type(NotFound),
        wait=wait_fixed(POLL_S),
        stop=stop_after_delay(PARSED_S),
        retry_error_callback=give_up,
    )


def error_of(method: str, path: str, answer: httpx.Response) -> Exception:
    """Return the exception for an error response: transient, a wrong login, not found, already exists, or terminal."""
    status = f"airflow: {method} {path}: {answer.status_code} {answer.reason_phrase}"
    if answer.status_code in (429, 500, 502, 503, 504):
        return TransientError(status)
    if answer.status_code in (401, 403):
        return ConfigError(f"{status}; use the login that `promptsales dsn airflow` prints")
    kind = {404: NotFound, 409: AlreadyExists}.get(answer.status_code, TerminalError)
    return kind(f"{status}{_detail(answer)}")


def _detail(answer: httpx.Response) -> str:
    """Return the reason if it is plain text; a list of invalid fields would repeat the request."""
    try:
        detail = answer.json().get("detail")
    except ValueError:
        return ""
    return f": {detail}" if isinstance(detail, str) else ""


def error_text(event: dict[str, Any]) -> str:
    """Return the error in an event of a task's log, preferably the exception; empty for other events."""
    if str(event.get("level")) not in ("error", "critical"):
        return ""
    for error in event.get("error_detail") or []:
        return f"{error.get('exc_type')}: {error.get('exc_value')}"
    return str(event.get("event", ""))


def last_failure(events: list[dict[str, Any]]) -> str:
    """Return the last exception in a task's log, else the last error.

    Exceptions come first because an alert that could not be sent logs its own error after the task's exception.
    """
    raised = [event for event in events if event.get("error_detail")]
    texts = [error_text(event) for event in (raised or events)]
    return next((text for text in reversed(texts) if text), "")

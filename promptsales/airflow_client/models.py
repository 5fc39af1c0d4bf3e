"""Requests and responses of Airflow's REST API, limited to the fields we use."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

RunState = Literal["queued", "running", "success", "failed"]


class _Answer(BaseModel):
    """The part of a response that we use; other fields are ignored."""

    model_config = ConfigDict(frozen=True)


class DagRun(_Answer):
    """A run of a DAG."""

    dag_id: str
    run_id: str = Field(alias="dag_run_id")
    run_type: str
    state: RunState
    data_interval_start: datetime | None
    data_interval_end: datetime | None

    @property
    def is_done(self) -> bool:
        """Return whether the run has succeeded or failed."""
        return self.state in ("success", "failed")


class Schedule(_Answer):
    """Whether a DAG is paused, and when its schedule starts the next run: None without a schedule or while it runs."""

    is_paused: bool
    due: datetime | None = Field(alias="next_dagrun_run_after")

    def starts_when_unpaused(self, now: datetime) -> bool:
        """Return whether unpausing the DAG starts a scheduled run at once."""
        return self.is_paused and self.due is not None and self.due <= now


class TaskState(_Answer):
    """One task of a run."""

    task_id: str
    state: str | None
    try_number: int

    @property
    def is_done(self) -> bool:
        """Return whether the task has reached a final state."""
        return self.state in ("success", "failed", "skipped", "upstream_failed", "removed")


class AirflowConnection(BaseModel):
    """A connection as Airflow stores it; ``extra`` is JSON."""

    model_config = ConfigDict(frozen=True)

    connection_id: str
    conn_type: str
    description: str
    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = Field(default=None, repr=False)
    schema_: str | None = Field(default=None, serialization_alias="schema")
    extra: str | None = None


class Pool(BaseModel):
    """A pool, which limits how many tasks use a system at once."""

    model_config = ConfigDict(frozen=True)

    name: str
    slots: int
    description: str
    include_deferred: bool = False

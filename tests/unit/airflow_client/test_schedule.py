"""Whether unpausing a DAG starts a run: `promptsales run` then triggers none beside it."""

from datetime import UTC, datetime

import pytest

from promptsales.airflow_client.models import Schedule

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("is_paused", "due", "starts"),
    [
        (True, "2026-03-01T12:00:00Z", True),
        (True, "2026-03-01T12:30:00Z", True),
        # paused after the run of this hour
        (True, "2026-03-01T13:00:00Z", False),
        # without a schedule, or at its limit of active runs
        (True, None, False),
        # the schedule runs it anyhow, at its own time
        (False, "2026-03-01T12:00:00Z", False),
    ],
)
def test_unpausing_starts_a_run(is_paused: bool, due: str | None, starts: bool) -> None:
    answer = {"dag_id": "promptcrm_hourly", "is_paused": is_paused, "next_dagrun_run_after": due}
    assert Schedule.model_validate(answer).starts_when_unpaused(NOW) is starts

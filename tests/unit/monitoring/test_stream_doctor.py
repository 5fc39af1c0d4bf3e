"""Findings of doctor about a replication slot, before it is lost."""

from typing import Any

import pytest

from promptsales.monitoring.findings import Finding
from promptsales.monitoring.stream_doctor import _check_slot, describe_failure
from promptsales.monitoring.stream_status import ConnectorHealth
from promptsales.stream.connectors import ConnectorStatus
from promptsales.stream.lag import Lag, Slot

STATUS = ConnectorStatus(connector="promptads", state="RUNNING", task="RUNNING", epoch=1, trouble="")
LAG = Lag("promptads", 0, 0, None, None, None)
SLOT = Slot("promptads", True, "reserved", 0, 0, 1000)


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({}, []),
        ({"behind_bytes": 990}, []),  # confirmed late, but no WAL is kept for it
        ({"kept_bytes": 200}, []),
        ({"kept_bytes": 201, "wal_status": "extended"}, ["is behind: 20% of the log it may keep"]),
        ({"kept_bytes": 600, "wal_status": "extended"}, ["is lost soon: 60% of the log it may keep"]),
        ({"cap_bytes": None}, ["can keep an unlimited amount of the source's log, which can fill its disk"]),
        ({"wal_status": "unreserved"}, ["will be lost at the source's next checkpoint unless it is read before"]),
        ({"wal_status": "lost"}, ["is lost: the source has removed log that was not read"]),
    ],
)
def test_what_is_told_of_a_check_slot(changes: dict[str, Any], messages: list[str]) -> None:
    findings = list(_check_slot(ConnectorHealth(STATUS, SLOT._replace(**changes), LAG)))
    assert [(finding.where, finding.what) for finding in findings] == [("slot promptads", what) for what in messages]


def test_a_slot_that_is_gone_is_told() -> None:
    assert [finding.what for finding in _check_slot(ConnectorHealth(STATUS, None, LAG))] == [
        "does not exist, so the changes since it was dropped are missing"
    ]


def test_a_failed_connector_says_why() -> None:
    finding = describe_failure(
        STATUS.model_copy(update={"trouble": "Caused by: org.postgresql.util.PSQLException: refused"})
    )
    assert finding == Finding(
        "connector promptads",
        "has failed: Caused by: org.postgresql.util.PSQLException: refused",
        "run `promptsales connectors apply`",
    )


@pytest.mark.parametrize(
    "trouble",
    [
        "Caused by: org.apache.kafka.common.errors.RecordTooLargeException: The message is 27262977 bytes",
        "Caused by: java.lang.OutOfMemoryError: Java heap space",
    ],
)
def test_a_row_that_a_connector_cannot_pass_is_read_by_a_snapshot(trouble: str) -> None:
    finding = describe_failure(STATUS.model_copy(update={"trouble": trouble}))
    assert finding.what == f"has failed: {trouble}"
    assert finding.todo.startswith("run `promptsales topics apply` and `promptsales connectors apply`, then ")
    assert "`promptsales connectors snapshot promptads`" in finding.todo

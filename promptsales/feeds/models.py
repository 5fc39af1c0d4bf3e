"""The models that the steps of a load exchange through XCom: small, frozen and free of personal data."""

from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from promptsales.errors import ConfigError

HELD_TOO_LONG = timedelta(minutes=15)
GAP = (
    "rows may be missing that no delta load reads again; run `promptsales reconcile`, which loads them and makes the "
    "feed complete again"
)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Model):
    """A half-open interval ``[start, end)`` of the cursor column, replayed without moving the watermark."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _start_is_before_end(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"window starts at {self.start} and ends at {self.end}: the start must be before the end")
        return self

    def __str__(self) -> str:
        """Return ``replay 2026-11-20T00:00Z to 2026-11-21T00:00Z``."""
        return f"replay {_in_utc(self.start)} to {_in_utc(self.end)}"


def _in_utc(moment: datetime) -> str:
    is_whole = not (moment.second or moment.microsecond)
    text = moment.astimezone(UTC).isoformat(timespec="minutes" if is_whole else "auto")
    return text.replace("+00:00", "Z")


def make_window(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    """Return the window from a start to an end that people gave.

    Raises:
        ConfigError: when one is missing, the start is not before the end, or it is in the future.
    """
    if start is None or end is None:
        raise ConfigError("a window needs both start and end; leave both empty to load from the watermark")
    if start >= end:
        raise ConfigError(f"start {_in_utc(start)} is not before end {_in_utc(end)}; give the earlier time as start")
    if start > now:
        raise ConfigError(
            f"start {_in_utc(start)} is in the future, it is now {_in_utc(now.replace(microsecond=0))}; "
            "give a window of rows that were changed already"
        )
    return Window(start=start, end=end)


class FeedProgress(_Model):
    """The state of a feed after a load."""

    last_sync_timestamp: datetime | None
    complete_through: datetime | None
    held_by: str | None = None
    held_since: datetime | None = None
    pii_kid: int | None = None
    pii_check: str | None = Field(default=None, description="hex of the key's check value")
    resume_token: str | None = Field(default=None, description="where the change stream resumes, as JSON")
    kafka_offsets: str | None = Field(default=None, description="the next offset of each partition, as JSON")

    def with_gap(self, why: str | None = None) -> Self:
        """Return a copy that is not complete until a reconciliation has compared the feed with its source."""
        return self.model_copy(update={"complete_through": None, "held_by": why or self.held_by or GAP})

    def is_held_back(self, read_at: datetime) -> bool:
        """Return whether an open transaction has held the watermark for longer than ``HELD_TOO_LONG``.

        False on a standby, whose watermark stays behind by the look-back of the contract.
        """
        return self.held_since is not None and read_at - self.held_since > HELD_TOO_LONG


class Staged(_Model):
    """The result of the extract step: the rows in staging, and the state of the feed once they are published."""

    feed: str
    extraction: int
    window: Window | None
    window_start: datetime | None
    read_at: datetime
    started_at: datetime
    triggered_by: str
    clock_at: datetime | None = Field(
        default=None, description="the warehouse's clock right after read_at; null where read_at is not a running clock"
    )
    progress: FeedProgress
    extracted: int
    suppressed: int
    unchanged: int
    held: int = Field(description="rows that are in quarantine already, with the same values")

    @property
    def remaining(self) -> int:
        """Number of rows left in staging."""
        return self.extracted - self.suppressed - self.unchanged - self.held

    @property
    def is_empty(self) -> bool:
        """Whether no row is left to check or publish."""
        return self.remaining == 0


class Audit(_Model):
    """The result of the check step."""

    extraction: int
    suite_checksum: str
    checks_passed: int
    checks_failed: int
    quarantined: int


class LoadResult(_Model):
    """The counts of one load; ``extracted`` is the sum of the other five."""

    feed: str
    extraction: int
    window: Window | None = Field(default=None, description="what was replayed; null for what was new")
    extracted: int
    inserted: int
    updated: int
    unchanged: int
    quarantined: int
    suppressed: int
    checks_passed: int
    checks_failed: int
    last_sync_timestamp: datetime | None
    complete_through: datetime | None

    @property
    def is_changed(self) -> bool:
        """Whether the load changed core."""
        return self.inserted + self.updated > 0

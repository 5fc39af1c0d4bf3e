"""What the steps of a load hand to one another: small, frozen, free of personal values, so that XCom may carry them."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

HELD_TOO_LONG = timedelta(minutes=15)
GAP = (
    "how far it was complete was not known for a while, and rows may be missing that no delta finds; "
    "`promptsales reconcile` finds them, and after that it is complete again"
)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Model):
    """A half-open interval ``[start, end)`` of the cursor, replayed without touching the watermark."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _start_is_before_end(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"window starts at {self.start} and ends at {self.end}: the start must be before the end")
        return self


class Progress(_Model):
    """Where a feed stands after a load."""

    last_sync_timestamp: datetime | None
    complete_through: datetime | None
    held_by: str | None = None
    held_since: datetime | None = None
    pii_kid: int | None = None
    pii_check: str | None = Field(default=None, description="hex of the key's check value")
    resume_token: str | None = Field(default=None, description="where the change stream goes on, as JSON")
    kafka_offsets: str | None = Field(default=None, description="the next offset of each partition, as JSON")

    def with_gap(self, why: str | None = None) -> Self:
        """The same, where rows may be missing that no delta finds: complete once a reconciliation has compared it."""
        return self.model_copy(update={"complete_through": None, "held_by": why or self.held_by or GAP})

    def is_held_back(self, read_at: datetime) -> bool:
        """Whether something has kept the watermark for longer than people keep a transaction open.

        Never on a standby, whose watermark follows at a distance that the contract declares.
        """
        return self.held_since is not None and read_at - self.held_since > HELD_TOO_LONG


class Staged(_Model):
    """The extract step's result: what lies in staging, and where the feed will stand once it is published."""

    feed: str
    extraction: int
    window: Window | None
    window_start: datetime | None
    read_at: datetime
    started_at: datetime
    triggered_by: str
    clock_at: datetime | None = Field(default=None, description="ours right after read_at, where that is a clock's")
    progress: Progress
    extracted: int
    suppressed: int
    unchanged: int
    held: int = Field(description="rows that lie in quarantine already, just so")

    @property
    def remaining(self) -> int:
        """Rows left in staging."""
        return self.extracted - self.suppressed - self.unchanged - self.held

    @property
    def is_empty(self) -> bool:
        """Nothing is left to check or publish."""
        return self.remaining == 0


class Audit(_Model):
    """The check step's result."""

    extraction: int
    suite_checksum: str
    checks_passed: int
    checks_failed: int
    quarantined: int


class LoadResult(_Model):
    """The counts of one load; ``extracted`` is the sum of the other five."""

    feed: str
    extraction: int
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
        """Whether core changed."""
        return self.inserted + self.updated > 0

"""The days of a mart that a build covers, as plain values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

Range = tuple[date, date]

# a longer range is a full build, whose early years hold little or no data
LONG = timedelta(days=400)
RECENT = timedelta(days=90)


@dataclass(frozen=True)
class Span:
    """Half-open ranges of days, the last complete day, and the settings that days depend on."""

    ranges: tuple[Range, ...]
    as_of_day: date
    zone: str = "UTC"
    provisional_days: int = 3

    @property
    def provisional_from(self) -> date:
        """Return the first provisional day."""
        return self.as_of_day - timedelta(days=self.provisional_days - 1)

    def instant(self, day: date) -> datetime:
        """Return the instant at which a day starts in the reporting zone."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone))

    def slices(self, partitions: int) -> Iterator[Range]:
        """Yield disjoint slices that cover each day of the ranges once, about ``partitions`` per range.

        Of a long range, all days before the last 90 are one slice, because most of them hold no data.
        """
        for start, end in self.ranges:
            recent = start
            if end - start > LONG:
                recent = min(max(start, self.as_of_day - RECENT), end)
                if start < recent:
                    yield start, recent
            days = (end - recent).days
            step = max(1, -(-days // partitions))
            for offset in range(0, days, step):
                yield recent + timedelta(offset), min(end, recent + timedelta(offset + step))

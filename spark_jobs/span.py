"""What of a mart is built: plain values, given by whoever asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

Range = tuple[date, date]

# a range as long as this is all there is: most of it is long ago, and little of that is data
LONG = timedelta(days=400)


@dataclass(frozen=True)
class Span:
    """Half-open ranges of days, the last complete day, and the settings that days depend on."""

    ranges: tuple[Range, ...]
    as_of_day: date
    zone: str = "UTC"
    provisional_days: int = 3

    @property
    def provisional_from(self) -> date:
        """The first day that is provisional."""
        return self.as_of_day - timedelta(days=self.provisional_days - 1)

    def instant(self, day: date) -> datetime:
        """When a day begins in the reporting zone."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone))

    def slices(self, partitions: int) -> Iterator[Range]:
        """The ranges, the long ones cut so that about ``partitions`` of them can be read at a time."""
        for start, end in self.ranges:
            if end - start > LONG:
                recent = self.as_of_day - timedelta(days=90)
                yield start, recent
                start = recent
            step = max(1, -(-(end - start).days // partitions))
            for offset in range(0, (end - start).days, step):
                yield start + timedelta(offset), min(end, start + timedelta(offset + step))

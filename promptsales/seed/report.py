"""The report of a seed."""

from pydantic import BaseModel, ConfigDict

from promptsales.seed.world import Size


class SeedReport(BaseModel):
    """The rows that a seed wrote, and the number of invalid rows that the checks must find."""

    model_config = ConfigDict(frozen=True)

    size: Size
    rows: dict[str, int]  # per table written, as schema.table
    planted: dict[str, int]  # invalid rows per feed, of the tables written
    already_there: tuple[str, ...]  # systems that already held rows and were not changed
    seconds: float

    @property
    def is_unchanged(self) -> bool:
        """Return whether nothing was written."""
        return not self.rows

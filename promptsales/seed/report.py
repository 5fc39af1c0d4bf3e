"""What a seed wrote."""

from pydantic import BaseModel, ConfigDict

from promptsales.seed.world import Size


class SeedReport(BaseModel):
    """What a seed wrote, and what the checks must find."""

    model_config = ConfigDict(frozen=True)

    size: Size
    rows: dict[str, int]  # per table written, as schema.table
    planted: dict[str, int]  # bad rows per feed, of the tables written
    already_there: tuple[str, ...]  # systems that held rows and were left as they were
    seconds: float

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing was written at all."""
        return not self.rows

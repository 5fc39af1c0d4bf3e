"""Sample data for every system: seeded, reproducible, with a known number of bad rows."""

from promptsales.seed.report import SeedReport
from promptsales.seed.run import seed

__all__ = ["SeedReport", "seed"]

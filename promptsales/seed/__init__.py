"""Reproducible sample data for every system, with a known number of invalid rows."""

from promptsales.seed.report import SeedReport
from promptsales.seed.run import seed

__all__ = ["SeedReport", "seed"]

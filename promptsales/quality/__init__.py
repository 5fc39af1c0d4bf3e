"""The checks: run suites of Great Expectations, which are kept beside the tables they check."""

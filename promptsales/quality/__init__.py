"""The checks: suites in the vocabulary of Great Expectations, beside the tables they judge."""

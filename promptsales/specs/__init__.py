"""The contracts of feeds, streamed tables and marts, and their check suites, read from ``warehouse/``."""

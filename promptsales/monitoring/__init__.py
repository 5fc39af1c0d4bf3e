"""Check the state of the systems: freshness of feeds, lag of the stream, and everything that `doctor` reports."""

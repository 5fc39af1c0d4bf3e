"""Read a source: the frontier, the hashing key, the drift check and the delta."""

"""Reading a source: the frontier, the key, the drift check and the delta."""

"""The global cache in Redis: sessions, cached responses, live counters, and the key spaces that they use."""

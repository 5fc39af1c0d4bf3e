"""Redis: key spaces with their time to live, cached responses, sessions and live counters.

Every key of the global cache is written and read here.
Imports specs and the base modules.
"""

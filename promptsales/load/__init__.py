"""Staging, splitting, publishing: what happens to a feed's rows between its source and core."""

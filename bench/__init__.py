"""Comparisons, run by one command each."""

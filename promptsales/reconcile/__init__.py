"""Whole tables compared with their sources: what no delta and no event brought is found and repaired.

Uses loads and the stream as a whole.
May import every folder except cli, orchestration, monitoring and privacy.
"""

"""Help for authors of contracts: a draft from a live table, and what a change makes stricter, looser or breaking.

`promptsales contracts` uses it.
Imports specs and the base modules.
"""

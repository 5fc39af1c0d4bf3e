"""Help for those who write contracts: a draft from a live table, and what a change makes stricter, looser, breaking."""

"""Remove an erased person from every table, and keep the person's rows out of later loads."""

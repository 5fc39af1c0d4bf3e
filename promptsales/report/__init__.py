"""The report: one HTML page of charts and tables from the marts.

`promptsales report` writes it.
Imports specs and the base modules.
"""

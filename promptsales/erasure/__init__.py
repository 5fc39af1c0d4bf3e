"""Erased persons stay out: their ids and hashes are suppressed, and their rows are removed from every table.

Loads, the stream and the command that erases a person use it.
Imports feeds and the layers below.
"""

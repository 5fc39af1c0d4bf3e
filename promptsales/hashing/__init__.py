"""Keyed hashes of personal data, and text without it: keys, normal forms, HMAC and redaction, in Python and in SQL.

Views at the source hash in SQL; sources where no view can be created are hashed in Python, to the same bytes.
Imports specs and the base modules.
"""

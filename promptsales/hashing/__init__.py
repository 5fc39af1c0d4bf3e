"""Keyed hashes of personal data: keys, normal forms and HMAC, in Python and in SQL.

Views at the source hash in SQL; sources where no view can be created are hashed in Python, to the same bytes.
Imports specs and the base modules.
"""

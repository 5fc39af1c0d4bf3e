"""What a person may ask for: to be forgotten, and, for all persons, a new hashing key.

Uses loads, marts and provisioning as a whole.
Imports every layer below monitoring except reconcile.
"""

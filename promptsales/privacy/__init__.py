"""What a person may ask for: to be forgotten, and, for all persons, a new hashing key.

Uses loads, marts and provisioning as a whole.
May import every folder except cli, orchestration, monitoring and reconcile.
"""

"""Kafka and Kafka Connect: topics as code, and the calls of Connect's REST API.

Whoever reads, writes or provisions Kafka uses it.
Imports specs and the base modules.
"""

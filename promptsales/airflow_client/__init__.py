"""Airflow's REST API: calls, answers as models, and the registration of connections and pools.

The command line uses it to trigger and follow runs, and the local stack to set Airflow up.
Imports the base modules only.
"""

"""A package, so that Airflow stops after the last of its tests (see `only_here` in conftest.py)."""

"""A package, so that Airflow rests as soon as the last of its tests is done (see `only_here` in conftest.py)."""

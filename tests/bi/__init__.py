"""Superset with the dashboards of `bi/`, on a stack with sample data: ``make test-bi``."""

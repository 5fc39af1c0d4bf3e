"""Comparisons with the floor, measured side by side on this machine: ``make bench-load``."""

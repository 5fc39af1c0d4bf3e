"""Aggregates of the warehouse: which days to rebuild, how Spark's rows are checked, and how they are published.

The Spark jobs themselves lie in `spark_jobs/`; whoever starts a build hands them in.
Imports erasure, feeds, quality, specs and the base modules.
"""

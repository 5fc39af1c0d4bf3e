"""One batch of a feed on its way into core: extract into staging, audit, publish in one transaction.

Airflow's DAGs and `promptsales load` call its steps.
Imports extract, erasure, feeds and the layers below.
"""

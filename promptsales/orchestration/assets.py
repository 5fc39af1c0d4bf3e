"""The tables of the warehouse as Airflow assets, each defined here and nowhere else."""

from airflow.sdk import Asset

from promptsales.contracts import contracts

CORE = {table: Asset(f"core.{table}", group="core") for table in contracts()}

"""The tables of the warehouse as Airflow assets, each defined here and nowhere else."""

from airflow.sdk import Asset

from promptsales.contracts import contracts
from promptsales.marts.spec import tables
from promptsales.stream_contracts import stream_contracts

CORE = {table: Asset(f"core.{table}", group="core") for table in contracts()}
STREAMED = {
    name: Asset(f"{contract.layer}.{name}", group=contract.layer) for name, contract in stream_contracts().items()
}

MARTS = {name: Asset(f"marts.{name}", group="marts") for name in tables()}

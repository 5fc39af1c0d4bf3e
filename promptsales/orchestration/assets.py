"""The Airflow assets of the warehouse's tables; no other module defines assets."""

from airflow.sdk import Asset

from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts

_STREAMED = [contract.table for contract in stream_contracts().values() if contract.layer == "core"]
CORE = {table: Asset(f"core.{table}", group="core") for table in (*contracts(), *_STREAMED)}

MARTS = {name: Asset(f"marts.{name}", group="marts") for name in tables()}

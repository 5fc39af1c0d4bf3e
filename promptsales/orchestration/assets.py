"""The Airflow assets of the warehouse's tables; no other module defines assets."""

from datetime import datetime
from typing import TYPE_CHECKING

from airflow.sdk import Asset
from airflow.sdk.configuration import conf

from promptsales.specs.feed import contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import stream_contracts

if TYPE_CHECKING:
    from pydantic import JsonValue

_STREAMED = [contract.table for contract in stream_contracts().values() if contract.layer == "core"]
CORE = {table: Asset(f"core.{table}", group="core") for table in (*contracts(), *_STREAMED)}

# where Airflow's API server serves the Warehouse page (`plugins/warehouse_page.py`)
_PAGE = "/warehouse/tables/"

MARTS = {name: Asset(f"marts.{name}", group="marts") for name in tables()}


def describe_event(table: str, rows: int, complete_through: datetime | None) -> dict[str, "JsonValue"]:
    """Return what an asset event says beside its time: rows changed, completeness, and the table's page.

    Args:
        table: the table with its schema.
        rows: rows that changed; of a streamed table, the rows of the audited hours.
        complete_through: every commit at the source before it is in the table; None when that is not known.
    """
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return {
        "rows": rows,
        "complete_through": complete_through.isoformat() if complete_through else None,
        "page": f"{base}{_PAGE}{table}",
    }

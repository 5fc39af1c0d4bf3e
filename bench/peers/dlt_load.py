"""Load leads with dlt, as its documentation says; runs with the Python of dlt's own environment.

Arguments: ``rows`` (dlt's defaults) or ``arrow`` (its faster backend and merge), then ``clear`` or ``hash``.
"""

import hmac
import os
import sys
from typing import Any

import dlt
import pyarrow
from dlt.sources.sql_database import sql_table

PERSONAL = ("email", "phone", "click_id")


def main(way: str, hashing: str) -> None:
    """Run the pipeline once; addresses, folder, data set and key come from the environment."""
    arrow = way == "arrow"
    leads = sql_table(
        credentials=os.environ["PEER_SOURCE"].replace("postgresql:", "postgresql+psycopg2:"),
        schema="peers",
        table="leads",
        backend="connectorx" if arrow else "sqlalchemy",
        incremental=dlt.sources.incremental("updated_at"),
        primary_key="id",
        write_disposition={"disposition": "merge", "strategy": "upsert" if arrow else "delete-insert"},
    )
    if hashing == "hash":
        leads.add_map(hash_table if arrow else hash_row)
    pipeline = dlt.pipeline(
        "leads",
        pipelines_dir=os.environ["PEER_FOLDER"],
        destination=dlt.destinations.postgres(os.environ["PEER_TARGET"]),
        dataset_name=os.environ["PEER_SCHEMA"],
    )
    pipeline.run(leads, loader_file_format="csv" if arrow else None)


def hash_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with hashes in its personal columns."""
    return row | {name: hashed(row[name]) for name in PERSONAL}


def hash_table(table: pyarrow.Table) -> pyarrow.Table:
    """Return the table with hashes in its personal columns."""
    for name in PERSONAL:
        values = pyarrow.array([hashed(value) for value in table[name].to_pylist()], pyarrow.string())
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table


def hashed(value: str | None) -> str | None:
    """Return the keyed hash of a value in hexadecimal digits."""
    if value is None:
        return None
    return hmac.digest(os.environ["PEER_KEY"].encode(), value.encode(), "sha256").hex()


if __name__ == "__main__":
    main(*sys.argv[1:])

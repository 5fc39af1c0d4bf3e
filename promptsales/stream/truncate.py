"""Delete the rows of a table that was truncated at the source, as repairs, so that minutes, alerts and marts follow."""

import asyncio

import psycopg
from psycopg import sql

from promptsales.settings import Settings
from promptsales.specs.stream import StreamContract, stream_contracts
from promptsales.stream import truncations
from promptsales.stream.repair import Repair, repair
from promptsales.stream.statements import HELD_RANK, table
from promptsales.stream.truncations import Truncation
from promptsales.stream.version import RANK_OF_PARAMETERS, Version, rank_of

# rows per transaction: the stream waits for locked rows
_PIECE = 5_000


def truncate(settings: Settings, warehouse: psycopg.Connection, truncation: Truncation) -> int:
    """Delete a table's rows that are older than a truncation, and close it; return how many.

    Every event older than the truncation must have been applied.

    Raises:
        psycopg.Error: as the driver raises it; the next call deletes the rest.
    """
    contract, count = stream_contracts()[truncation.table], 0
    version = Version(truncation.epoch, truncation.commit, truncation.lsn, is_snapshot=False)
    at_us = int(truncation.committed_at.timestamp() * 1_000_000)
    # the server holds the cursor, so no transaction stays open and the keys need no memory here
    with warehouse.cursor("truncated", withhold=True) as older:
        older.execute(compose_older_keys(contract), version._asdict())
        while keys := older.fetchmany(_PIECE):
            asyncio.run(repair(settings, contract, [Repair(key, None, version, at_us) for (key,) in keys]))
            count += len(keys)
    truncations.close(warehouse, truncation, count)
    return count


def compose_older_keys(contract: StreamContract) -> sql.Composed:
    """Compose a query for keys, in the table or in quarantine, whose version is older than a truncation."""
    return sql.SQL("""
        select to_jsonb(t.{key}) from {table} t
        where not t.is_deleted and {rank} < {truncation}
        union
        select q.payload->{key_text} from ops.quarantine q
        where q.feed = {name} and q.released_at is null and {held_rank} < {truncation}
    """).format(
        key=sql.Identifier(contract.key), key_text=sql.Literal(contract.key), table=table(contract),
        name=sql.Literal(contract.table), rank=rank_of("t"), held_rank=HELD_RANK, truncation=RANK_OF_PARAMETERS,
    )  # fmt: skip

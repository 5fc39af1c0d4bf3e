"""Write the staleness limits of contracts and marts to ``ops.staleness``, which ``marts.data_freshness`` reads."""

import psycopg

from promptsales.provision.changes import ProvisionChange
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import StreamContract, stream_contracts

_WRITE = """
merge into ops.staleness s
using unnest(%(names)s::text[], %(are_marts)s::boolean[], %(limits)s::interval[]) as goal (name, is_mart, stale_after)
   on s.name = goal.name and s.is_mart = goal.is_mart
when matched and s.stale_after <> goal.stale_after then update set stale_after = goal.stale_after
when not matched by source then delete
when not matched then insert (name, is_mart, stale_after) values (goal.name, goal.is_mart, goal.stale_after)
"""


def provision_staleness(connection: psycopg.Connection) -> list[ProvisionChange]:
    """Update ``ops.staleness`` to match the contracts and marts, in the caller's transaction."""
    feeds: dict[str, Contract | StreamContract] = {**contracts(), **stream_contracts()}
    rows = [(name, False, feed.stale_after) for name, feed in feeds.items()]
    rows += [(name, True, mart.stale_after) for name, mart in tables().items()]
    names, are_marts, limits = map(list, zip(*rows, strict=True))
    written = connection.execute(_WRITE, {"names": names, "are_marts": are_marts, "limits": limits}).rowcount
    return [ProvisionChange(system="warehouse", what=f"ops.staleness: {written} limits written")] if written else []

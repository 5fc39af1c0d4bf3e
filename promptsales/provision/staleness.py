"""When tables are stale, as contracts and marts say, written to ``ops.staleness`` for ``marts.data_freshness``."""

import psycopg

from promptsales.provision.changes import Change
from promptsales.specs.feed import Contract, contracts
from promptsales.specs.mart import tables
from promptsales.specs.stream import StreamContract, stream_contracts

_WRITE = """
merge into ops.staleness s
using unnest(%(names)s::text[], %(are_marts)s::boolean[], %(limits)s::interval[]) as said (name, is_mart, stale_after)
   on s.name = said.name and s.is_mart = said.is_mart
when matched and s.stale_after <> said.stale_after then update set stale_after = said.stale_after
when not matched by source then delete
when not matched then insert (name, is_mart, stale_after) values (said.name, said.is_mart, said.stale_after)
"""


def staleness(connection: psycopg.Connection) -> list[Change]:
    """Bring ``ops.staleness`` to what contracts and marts say, in the caller's transaction."""
    feeds: dict[str, Contract | StreamContract] = {**contracts(), **stream_contracts()}
    said = [(name, False, feed.stale_after) for name, feed in feeds.items()]
    said += [(name, True, mart.stale_after) for name, mart in tables().items()]
    names, are_marts, limits = map(list, zip(*said, strict=True))
    written = connection.execute(_WRITE, {"names": names, "are_marts": are_marts, "limits": limits}).rowcount
    return [Change(system="warehouse", what=f"ops.staleness: {written} limits written")] if written else []

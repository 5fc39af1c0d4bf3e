"""Whether a warehouse has what this release of the stream needs; on older tables a worker would fail on each batch."""

import psycopg

# what the newest migrations of the stream create
_READY = """
    select exists (
        select from pg_attribute where attrelid = to_regclass('ops.truncation') and attname = 'src_commit'
    ) and to_regproc('realtime.budget_levels') is not null
"""


def is_provisioned(warehouse: psycopg.Connection) -> bool:
    """Return whether `promptsales provision` of this release has run."""
    return warehouse.execute(_READY).fetchone() == (True,)

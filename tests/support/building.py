"""Stop a first load of leads while it builds the indexes of its rows."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from promptsales.settings import Settings

_LOCK = 7_499_001
_PATIENCE_S = 60
_HOLD = f"""
    create function core.hold(uuid) returns integer language plpgsql immutable set lock_timeout = 0 as $$
    begin
        perform pg_advisory_lock_shared({_LOCK}), pg_advisory_unlock_shared({_LOCK});
        return 1;
    end $$;
    create index leads_hold on core.leads (core.hold(lead_id));
"""


@contextmanager
def held_building(stack: Settings) -> Iterator[psycopg.Connection]:
    """Hold whoever builds an index over rows of core.leads, until the transaction of the connection ends."""
    address = stack.address("warehouse_admin")
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(_HOLD.encode())
        try:
            with psycopg.connect(address) as connection:
                connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
                yield connection
        finally:
            admin.execute("drop function core.hold(uuid) cascade")


def is_building(admin: psycopg.Connection) -> bool:
    """Return whether a first load waits in the build of an index."""
    query = "select exists (select from pg_locks where locktype = 'advisory' and objid = %s and not granted)"
    return admin.execute(query, [_LOCK]).fetchone() == (True,)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "the load did not get that far"
        time.sleep(0.02)

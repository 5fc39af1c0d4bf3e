"""The warehouse crashes between staging and publish: its unlogged staging comes back empty, which must be noticed."""

import os
import signal
import time

import psycopg
import pytest

from promptsales.errors import TerminalError
from promptsales.load.steps import check, extract, load, publish
from promptsales.settings import Settings
from promptsales.specs.feed import contract
from tests.support import leads

LEADS = contract("leads")
PATIENCE_S = 60


def crash(admin: psycopg.Connection, address: str) -> None:
    """Kill the warehouse's postmaster with -9; its supervisor restarts it."""
    (folder,) = admin.execute("show data_directory").fetchone() or ("",)
    with open(os.path.join(folder, "postmaster.pid")) as file:
        postmaster = int(file.readline())
    os.kill(postmaster, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            with psycopg.connect(address, connect_timeout=5) as connection:
                connection.execute("select 1")
                return
        except psycopg.OperationalError:
            continue
    raise AssertionError("the warehouse did not come back")


@pytest.mark.parametrize("is_checked", [False, True])
def test_crash_of_the_warehouse(
    stack: Settings, crm: psycopg.Connection, source: psycopg.Connection, admin: psycopg.Connection, is_checked: bool
) -> None:
    address = stack.address("warehouse")
    leads.add(crm, 20)
    leads.add_bad(crm, 2)
    with psycopg.connect(address) as before:
        staged = extract(LEADS, source, before, None, "before")
        audit = check(LEADS, before, staged)
    crash(admin, stack.address("warehouse_admin"))
    with psycopg.connect(address) as after:
        with pytest.raises(TerminalError, match="staging holds 0 rows of extraction 1, 22 were put there"):
            _ = publish(LEADS, after, staged, audit) if is_checked else check(LEADS, after, staged)
        assert load(LEADS, source, after, None, "after").inserted == 20
        leads.assert_equal_to_source(crm, after, stack)

"""The servers of the tests: stacks of their own, with other ports and other state folders than `make run`."""

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Literal

import psycopg

from promptsales.settings import Settings, default_state, settings
from promptsales.settings_file import VARIABLE
from tests.support import inbox

# set when a stack already runs, for child processes that run tests
SHARED = "PROMPTSALES_TESTS_SHARE_A_STACK"
# a stack's ports, and those above them that its tests open themselves
_PORTS = 20
_ALERTS = ("PROMPTSALES_ALERT_MAIL", "PROMPTSALES_ALERT_WEBHOOK")


def _free_port_base(start: int) -> int:
    """Return the first of a few ranges of ports on which nobody listens."""
    for base in range(start, 23000, 50):
        with_listener = [port for port in range(base, base + _PORTS) if _is_taken(port)]
        if not with_listener:
            return base
    raise RuntimeError(f"no free range of ports between {start} and 23000")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# the DAG of the tests' Airflow
os.environ.setdefault("PROMPTSALES_PROVISION_IN_AIRFLOW", "true")
# before anything reads the settings; child processes of tests inherit the variables, and none reads a user's file
os.environ.pop(VARIABLE, None)
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-test")
os.environ.setdefault("PROMPTSALES_PORT_BASE", str(_free_port_base(22000)))

# the stack's Airflow sends its alerts here: above the stack's own ports, and only some tests listen
MAIL_PORT, WEB_PORT = (int(os.environ["PROMPTSALES_PORT_BASE"]) + offset for offset in (18, 19))
for _name, _address in zip(_ALERTS, (inbox.mail_address(MAIL_PORT), inbox.web_address(WEB_PORT)), strict=True):
    os.environ.setdefault(_name, _address)


def second(stack: Settings) -> Settings:
    """Return the settings of another stack beside a stack: free ports, and a state folder of its own."""
    state = stack.state.with_name(f"{stack.state.name}-2")
    return stack.model_copy(update={"state": state, "port_base": _free_port_base(stack.port_base + 50)})


def sharing(stack: Settings) -> dict[str, str]:
    """Return the environment of a process whose tests use a stack that runs; the process finds its own alert ports."""
    inherited = {name: value for name, value in os.environ.items() if name not in _ALERTS}
    own = {"PROMPTSALES_STATE": str(stack.state), "PROMPTSALES_PORT_BASE": str(stack.port_base), SHARED: "1"}
    return inherited | own


@contextmanager
def started(stack: Settings, without: Collection[str] = ()) -> Iterator[Settings]:
    """Start and provision the servers as `make run` does, except some services; remove them afterwards."""
    from local.stack import down, up
    from promptsales.provision import provision

    down(stack, remove=True)
    try:
        up(stack, lambda name, state, seconds: None, without)
        _flush_no_commit(stack)
        provision(stack)
        yield stack
    finally:
        down(stack, remove=True)


def _flush_no_commit(stack: Settings) -> None:
    """Leave it to the system when it writes to the disk: the tests kill servers, never the machine."""
    names: tuple[Literal["sources_admin", "warehouse_admin"], ...] = ("sources_admin", "warehouse_admin")
    for name in names:
        with psycopg.connect(stack.address(name), dbname="postgres", autocommit=True) as admin:
            admin.execute("alter system set fsync = off")
            admin.execute("select pg_reload_conf()")


@contextmanager
def running() -> Iterator[Settings]:
    """Start every server and remove it afterwards; or use a shared stack."""
    if os.environ.get(SHARED):
        yield settings()
        return
    with started(settings()) as stack:
        yield stack

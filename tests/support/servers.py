"""The servers of the tests: a stack of their own, with other ports and another state folder than `make run`."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from promptsales.settings import Settings, default_state, settings
from promptsales.settings_file import VARIABLE
from tests.support import inbox

# set when a stack already runs, for child processes that run tests
SHARED = "PROMPTSALES_TESTS_SHARE_A_STACK"


def _free_port_base() -> int:
    """Return the first of a few ranges of ports on which nobody listens."""
    for base in range(22000, 23000, 50):
        with_listener = [port for port in range(base, base + 20) if _is_taken(port)]
        if not with_listener:
            return base
    raise RuntimeError("no free range of ports between 22000 and 23000")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# the DAG of the tests' Airflow
os.environ.setdefault("PROMPTSALES_PROVISION_IN_AIRFLOW", "true")
# before anything reads the settings; child processes of tests inherit the variables, and none reads a user's file
os.environ.pop(VARIABLE, None)
os.environ.setdefault("PROMPTSALES_STATE", f"{default_state()}-test")
os.environ.setdefault("PROMPTSALES_PORT_BASE", str(_free_port_base()))

# the stack's Airflow sends its alerts here: above the stack's own ports, and only some tests listen
MAIL_PORT, WEB_PORT = (int(os.environ["PROMPTSALES_PORT_BASE"]) + offset for offset in (18, 19))
os.environ.setdefault("PROMPTSALES_ALERT_MAIL", inbox.mail_address(MAIL_PORT))
os.environ.setdefault("PROMPTSALES_ALERT_WEBHOOK", inbox.web_address(WEB_PORT))


@contextmanager
def running() -> Iterator[Settings]:
    """Start and provision every server as `make run` does, and remove them afterwards; or use a shared stack."""
    stack = settings()
    if os.environ.get(SHARED):
        yield stack
        return
    from local.stack import down, up
    from promptsales.provision import provision

    down(stack, remove=True)
    up(stack, lambda name, state, seconds: None)
    try:
        provision(stack)
        yield stack
    finally:
        down(stack, remove=True)

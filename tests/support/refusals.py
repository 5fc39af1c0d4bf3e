"""Calls that a server refuses, through addresses that hold a secret."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from promptsales.errors import PipelineError
from promptsales.settings import Settings

SECRET = "hunter2"


def with_address(stack: Settings, name: str, address: str) -> Settings:
    """Return the stack's settings with another address for one connection."""
    return stack.model_copy(update={"dsn": {name: address}})


def error_of(call: Callable[[], Any]) -> PipelineError:
    """Return the error that a call raises; check that it is one line without the secret and the driver's error."""
    with pytest.raises(PipelineError) as caught:
        call()
    assert caught.value.__cause__ is None
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


def ports(stack: Settings) -> dict[str, str]:
    """Return the ports of the servers, by name."""
    return {name: str(stack.port(name)) for name in ("warehouse", "redis", "mongo", "kafka")}


def environment(stack: Settings) -> dict[str, str]:
    """Return the environment of a command that uses the stack."""
    return {**os.environ, "PROMPTSALES_STATE": str(stack.state), "PROMPTSALES_PORT_BASE": str(stack.port_base)}

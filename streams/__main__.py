"""Run one worker: ``python -m streams 0``. The number is added to the port of its web page."""

import gc
import sys
import time

from faust import Worker

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.errors import PipelineError
from promptsales.printable import logger
from promptsales.settings import Settings, settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream.ready import is_provisioned
from streams.app import create_app

log = logger("streams")

_PROVISION = "run `promptsales provision`"


def main() -> None:
    """Wait for the servers and `promptsales provision`, then follow the change events until the process is stopped."""
    here, number = settings(), int(sys.argv[1])
    logged = ""
    while reason := describe_missing(here):
        if reason != logged:
            log.warning("waiting: %s", reason)
        logged = reason
        time.sleep(1)
    app = create_app(here, number)
    # objects that exist now live for ever; scanning them again stopped the stream for 0.1 s per collection
    gc.collect()
    gc.freeze()
    Worker(app, loglevel="INFO", redirect_stdouts=False).execute_from_commandline()


def describe_missing(here: Settings) -> str:
    """Return what keeps the worker from starting: missing topics or tables, or a login error; else empty text."""
    try:
        client = topics.admin(here.address("kafka_stream"))
        with topics.errors("list topics", client):
            existing = client.list_topics(timeout=10).topics
        with connected(here, "warehouse", patience="look") as warehouse:
            ready = is_provisioned(warehouse)
    except PipelineError as error:
        return str(error)
    missing = [contract.topic for contract in stream_contracts().values() if contract.topic not in existing]
    if missing:
        return f"topics {', '.join(missing)} are missing; {_PROVISION}"
    return "" if ready else f"tables of ops or realtime are missing; {_PROVISION}"


if __name__ == "__main__":
    try:
        main()
    except PipelineError as error:
        sys.exit(f"error: {error}")

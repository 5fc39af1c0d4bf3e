"""The thread that records how far each streamed table is complete."""

import threading
import time
from contextlib import ExitStack
from datetime import datetime

import psycopg

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.errors import PipelineError
from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.stream import connectors, progress, truncations
from promptsales.stream import gaps as stream_gaps
from promptsales.stream.progress import Reached, StreamProgress
from promptsales.stream.sweep import sweep
from promptsales.stream.truncate import truncate

log = logger(__name__)

_LOOK_S, _PAUSE_S = 0.5, 5.0


def start(settings: Settings) -> None:
    """Start one thread per connector, which runs until the process ends."""
    for name in connectors.names():
        arguments = (settings, StreamProgress(name))
        threading.Thread(target=_run_for_ever, args=arguments, name=f"progress-{name}", daemon=True).start()


def _run_for_ever(settings: Settings, following: StreamProgress) -> None:
    while True:
        try:
            _run(settings, following)
        except PipelineError as error:
            log.warning("cannot tell how far %s is complete: %s", following.connector, error)
            time.sleep(_PAUSE_S)


def _run(settings: Settings, following: StreamProgress) -> None:
    """Check in a loop until a server does not answer."""
    client = topics.admin(settings.address("kafka_stream"))
    with ExitStack() as stack:
        source = stack.enter_context(connected(settings, connectors.audit_of(following.connector)))
        warehouse = stack.enter_context(connected(settings, "warehouse"))
        while True:
            if reached := following.look(source, client, warehouse):
                _handle(settings, warehouse, following, reached)
            time.sleep(_LOOK_S)


def _handle(settings: Settings, warehouse: psycopg.Connection, following: StreamProgress, reached: Reached) -> None:
    """Empty truncated tables, record how far the tables are complete, and sweep.

    While events are missing only tables are emptied: a sweep would delete rows whose events the snapshot lost.
    """
    later = _truncate(settings, warehouse, following, reached)
    gaps = stream_gaps.close(warehouse, following.connector, following.epoch)
    following.log_gaps(gaps)
    if gaps:
        return
    progress.record_complete_through(warehouse, following.connector, min([reached.at, *later]))
    if gone := sweep(settings, warehouse, following.connector, following.epoch):
        log.warning("%s: deleted %d rows that the new snapshot does not have", following.connector, gone)


def _truncate(
    settings: Settings, warehouse: psycopg.Connection, following: StreamProgress, reached: Reached
) -> list[datetime]:
    """Empty the tables whose older rows are all applied; return the commit times of the other truncations."""
    later = []
    for truncation in truncations.read_pending(warehouse, following.connector):
        if truncation in reached.truncations:
            count = truncate(settings, warehouse, truncation)
            log.warning("%s was truncated at the source; deleted its %d rows", truncation.table, count)
        else:
            later.append(truncation.committed_at)
    return later

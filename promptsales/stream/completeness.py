"""The thread that tells how far each streamed table is complete, beside the stream."""

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
from promptsales.stream.progress import Progress, Reached
from promptsales.stream.sweep import sweep
from promptsales.stream.truncate import truncate

log = logger(__name__)

_LOOK_S, _PAUSE_S = 0.5, 5.0


def start(settings: Settings) -> None:
    """Begin to look, until the process ends."""
    for name in connectors.names():
        arguments = (settings, Progress(name))
        threading.Thread(target=_look_for_ever, args=arguments, name=f"progress-{name}", daemon=True).start()


def _look_for_ever(settings: Settings, following: Progress) -> None:
    while True:
        try:
            _look(settings, following)
        except PipelineError as error:
            log.warning("how far %s is complete is not known: %s", following.connector, error)
            time.sleep(_PAUSE_S)


def _look(settings: Settings, following: Progress) -> None:
    """Look until a server is away."""
    client = topics.admin(settings.address("kafka"))
    with ExitStack() as stack:
        source = stack.enter_context(connected(settings, connectors.source_of(following.connector)))
        warehouse = stack.enter_context(connected(settings, "warehouse"))
        while True:
            if reached := following.look(source, client, warehouse):
                _reached(settings, warehouse, following, reached)
            time.sleep(_LOOK_S)


def _reached(settings: Settings, warehouse: psycopg.Connection, following: Progress, reached: Reached) -> None:
    """Empty tables, note how far the tables are complete, and sweep; the last two not while events are missing.

    A snapshot that lost events would have the rows swept that were in them.
    """
    later = _truncate(settings, warehouse, following, reached)
    gaps = stream_gaps.close(warehouse, following.connector, following.epoch)
    following.tell(gaps)
    if gaps:
        return
    progress.note(warehouse, following.connector, min([reached.at, *later]))
    if gone := sweep(settings, warehouse, following.connector, following.epoch):
        log.warning("%s: %d rows are gone since the epoch before", following.connector, gone)


def _truncate(
    settings: Settings, warehouse: psycopg.Connection, following: Progress, reached: Reached
) -> list[datetime]:
    """Empty the tables whose older rows are all applied; return when the others were emptied at the source."""
    later = []
    for truncation in truncations.pending(warehouse, following.connector):
        if truncation in reached.truncations:
            count = truncate(settings, warehouse, truncation)
            log.warning("%s was truncated at the source; %d rows are deleted", truncation.table, count)
        else:
            later.append(truncation.committed_at)
    return later

"""How the worker is: an answer for whoever asks, and a watchdog that ends it when it is stuck."""

import asyncio
import logging
import os
import threading
import time
from typing import Any

import psycopg

from promptsales import bus, stream_lag
from promptsales.errors import PipelineError, TransientError
from promptsales.settings import Settings
from streams.delivery import Delivery
from streams.metrics import collect, exposition

log = logging.getLogger(__name__)

# the exit code the supervisor answers with a restart
STUCK = 71
PATIENCE_S, LOOK_S = 30.0, 5.0


class Health:
    """Counts what was done since the worker began."""

    def __init__(self, app: Any, settings: Settings, delivery: Delivery) -> None:
        self._app, self._settings, self._delivery = app, settings, delivery
        self._events = self._batches = self._quarantined = 0
        self._moved_at = time.monotonic()

    def note(self, events: int, quarantined: int) -> None:
        """A batch is done."""
        self._events += events
        self._batches += 1
        self._quarantined += quarantined
        self._moved_at = time.monotonic()

    def report(self) -> dict[str, Any]:
        """What the page says."""
        return {
            "partitions": len(self._app.consumer.assignment()),
            "events": self._events,
            "batches": self._batches,
            "quarantined": self._quarantined,
            "is_waiting": self._delivery.is_waiting,
        }

    def attach(self) -> None:
        """Put the page into the app."""

        @self._app.page("/health/")  # type: ignore[untyped-decorator]
        async def page(web: Any, request: Any) -> Any:
            return web.json(self.report())

        @self._app.page("/lag/")  # type: ignore[untyped-decorator]
        async def lag(web: Any, request: Any) -> Any:
            try:
                return web.text(exposition(await asyncio.to_thread(collect, self._settings)))
            except PipelineError as error:
                return web.text(f"# {error}\n", status=503)

    def watch(self) -> None:
        """Begin to watch, in a thread: a stuck event loop cannot watch itself."""
        threading.Thread(target=self._watch_for_ever, name="watchdog", daemon=True).start()

    def _watch_for_ever(self) -> None:
        client = bus.admin(self._settings.address("kafka"))
        while True:
            time.sleep(LOOK_S)
            try:
                is_idle = self._delivery.is_waiting or not self._waiting(client)
            except (TransientError, psycopg.OperationalError):
                is_idle = True  # a server is away: nothing can move
            if is_idle:
                self._moved_at = time.monotonic()
            elif time.monotonic() - self._moved_at > PATIENCE_S:
                log.critical("events wait and nothing has moved for %.0f s: the supervisor starts it again", PATIENCE_S)
                os._exit(STUCK)

    def _waiting(self, client: Any) -> int:
        """Events on the brokers, of the worker's own partitions, that are not applied."""
        mine = {(tp.topic, tp.partition) for tp in self._app.consumer.assignment()}
        names = {topic for topic, _ in mine}
        ends = {at: end for at, end in stream_lag.ends(client, names).items() if at in mine}
        with psycopg.connect(self._settings.address("warehouse"), autocommit=True, connect_timeout=5) as warehouse:
            return stream_lag.waiting(ends, stream_lag.applied(warehouse, names))

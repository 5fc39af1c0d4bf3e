"""How the worker is: an answer for whoever asks, and a watchdog that ends it when it is stuck."""

import asyncio
import os
import threading
import time
from typing import Any, NamedTuple

from promptsales.bus import topics
from promptsales.connections import connected
from promptsales.errors import PipelineError
from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.specs.stream import stream_contracts
from promptsales.stream import gaps
from promptsales.stream import lag as stream_lag
from streams.delivery import Delivery
from streams.metrics import collect, exposition

log = logger(__name__)

# the exit code the supervisor answers with a restart
STUCK = 71
PATIENCE_S, LOOK_S = 30.0, 5.0
# a worker without a partition may be one too many: it ends only when for so long nobody has applied what waits
ALONE_S = 300.0


class Seen(NamedTuple):
    """Events that wait, and how many were applied ever, of the worker's own partitions; of all where it has none."""

    has_partitions: bool
    waiting: int
    applied: int

    def has_changed(self, before: "Seen | None") -> bool:
        """Whether something was applied since, or partitions came or went."""
        return before is None or (self.has_partitions, self.applied) != (before.has_partitions, before.applied)


class Health:
    """Counts what was done since the worker began."""

    def __init__(self, app: Any, settings: Settings, delivery: Delivery) -> None:
        self._app, self._settings, self._delivery = app, settings, delivery
        self._events = self._batches = self._quarantined = 0
        self._moved_at = time.monotonic()
        self._seen: Seen | None = None

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
        client = topics.admin(self._settings.address("kafka"))
        while True:
            time.sleep(LOOK_S)
            try:
                seen = self._look(client)
            except PipelineError:
                seen = None  # a server is away or refuses: nothing can move
            if self.is_stuck(seen, time.monotonic()):
                log.critical("events wait and nothing moves: the supervisor starts it again; seen: %s", seen)
                os._exit(STUCK)

    def is_stuck(self, seen: Seen | None, now: float) -> bool:
        """Whether events wait, and nothing has moved for longer than it may take."""
        before, self._seen = self._seen, seen
        if seen is None or not seen.waiting or self._delivery.is_waiting or seen.has_changed(before):
            self._moved_at = now
        return now - self._moved_at > (PATIENCE_S if seen and seen.has_partitions else ALONE_S)

    def _look(self, client: Any) -> Seen:
        mine = {(tp.topic, tp.partition) for tp in self._app.consumer.assignment()}
        names = {topic for topic, _ in mine} or {contract.topic for contract in stream_contracts().values()}
        starts = gaps.starts(client, names)
        ends = {at: end for at, end in stream_lag.ends(client, names).items() if at in mine or not mine}
        with connected(self._settings, "warehouse", patience="look") as warehouse:
            applied = stream_lag.applied(warehouse, names)
        moved = sum(offset for at, offset in applied.items() if at in ends)
        # what is gone never comes: a restart would not bring it
        reachable = {at: max(applied.get(at, 0), begin) for at, begin in starts.items() if at in ends}
        return Seen(bool(mine), stream_lag.waiting(ends, reachable), moved)

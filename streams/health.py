"""The worker's health page, and a watchdog that ends a stuck worker."""

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

# exit code of a stuck worker; the supervisor restarts it
STUCK = 71
PATIENCE_S, LOOK_S = 30.0, 5.0
# seconds; a worker without partitions may be a spare one, so it ends only when no worker has applied anything
ALONE_S = 300.0


class PartitionProgress(NamedTuple):
    """Waiting events and all events ever applied, of the worker's partitions; of all partitions if it has none."""

    has_partitions: bool
    waiting: int
    applied: int

    def has_changed(self, before: "PartitionProgress | None") -> bool:
        """Return True if events were applied since, or partitions were assigned or revoked."""
        return before is None or (self.has_partitions, self.applied) != (before.has_partitions, before.applied)


class Health:
    """Counts what the worker has done since it started."""

    def __init__(self, app: Any, settings: Settings, delivery: Delivery) -> None:
        self._app, self._settings, self._delivery = app, settings, delivery
        self._events = self._batches = self._quarantined = 0
        self._moved_at = time.monotonic()
        self._last: PartitionProgress | None = None

    def note(self, events: int, quarantined: int) -> None:
        """Count a finished batch."""
        self._events += events
        self._batches += 1
        self._quarantined += quarantined
        self._moved_at = time.monotonic()

    def report(self) -> dict[str, Any]:
        """Return the content of the health page."""
        return {
            "partitions": len(self._app.consumer.assignment()),
            "events": self._events,
            "batches": self._batches,
            "quarantined": self._quarantined,
            "is_waiting": self._delivery.is_waiting,
            "rebalances": self._app.rebalancing_count,
        }

    def attach(self) -> None:
        """Add the pages to the app."""

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
        """Start the watchdog in a thread, because a stuck event loop cannot watch itself."""
        threading.Thread(target=self._watch_for_ever, name="watchdog", daemon=True).start()

    def _watch_for_ever(self) -> None:
        client = topics.admin(self._settings.address("kafka_stream"))
        while True:
            time.sleep(LOOK_S)
            try:
                current = self._look(client)
            except PipelineError:
                current = None  # a server is away: nothing can move
            if self.is_stuck(current, time.monotonic()):
                log.critical("events wait and nothing moves; ending the worker for a restart: %s", current)
                os._exit(STUCK)

    def is_stuck(self, current: PartitionProgress | None, now: float) -> bool:
        """Return True if events wait and nothing has moved for too long."""
        before, self._last = self._last, current
        if current is None or not current.waiting or self._delivery.is_waiting or current.has_changed(before):
            self._moved_at = now
        return now - self._moved_at > (PATIENCE_S if current and current.has_partitions else ALONE_S)

    def _look(self, client: Any) -> PartitionProgress:
        mine = {(tp.topic, tp.partition) for tp in self._app.consumer.assignment()}
        names = {topic for topic, _ in mine} or {contract.topic for contract in stream_contracts().values()}
        starts = gaps.read_starts(client, names)
        ends = {at: end for at, end in stream_lag.read_ends(client, names).items() if at in mine or not mine}
        with connected(self._settings, "warehouse", patience="look") as warehouse:
            applied = stream_lag.read_applied(warehouse, names)
        moved = sum(offset for at, offset in applied.items() if at in ends)
        # events that left Kafka never come, so they do not count as waiting
        reachable = {at: max(applied.get(at, 0), begin) for at, begin in starts.items() if at in ends}
        return PartitionProgress(bool(mine), stream_lag.count_waiting(ends, reachable), moved)

"""The thread that publishes campaign figures to Redis; an absent Redis never delays a change event."""

import threading
import time
from collections.abc import Iterable

import redis

from promptsales.cache import counters
from promptsales.cache.counters import Counter
from promptsales.connections import connected
from promptsales.errors import PipelineError
from promptsales.failures.cache import redis_errors
from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.stream.sink import Figure

log = logger(__name__)

# figures are collected this long: publishing more often would take the interpreter from the stream's thread
_AGAIN_S, _TOGETHER_S = 10.0, 0.2
# figures that wait at most; the next full publication brings the rest
_MOST = 50_000


class Counters:
    """Collects figures, and publishes them a moment later."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._noted: dict[tuple[object, ...], Counter] = {}
        self._lock = threading.Lock()
        self._is_noted = threading.Event()
        self._published = counters.NOTHING

    def note(self, figures: Iterable[Figure]) -> None:
        """Collect the figures that a batch changed; call it after the batch's commit."""
        moved = [Counter(*figure) for figure in figures]
        with self._lock:
            if len(self._noted) < _MOST:
                for counter in moved:
                    # building its Redis key would take ten times as long
                    what = counter[:3]
                    known = self._noted.get(what)
                    if known is None or known.version < counter.version:
                        self._noted[what] = counter
        if moved:
            self._is_noted.set()

    def start(self) -> None:
        """Start a thread that publishes until the process ends."""
        threading.Thread(target=self._publish_for_ever, name="counters", daemon=True).start()

    def _publish_for_ever(self) -> None:
        while True:
            try:
                self._publish()
            except PipelineError as error:
                log.warning("live counters wait: %s; retrying in 1 s", error)
                time.sleep(1)

    def _publish(self) -> None:
        """Publish until something fails; first everything that an earlier failure may have lost."""
        with (
            redis.Redis.from_url(self._settings.address("redis"), socket_timeout=5, socket_connect_timeout=5) as client,
            redis_errors("publish live counters", client),
        ):
            again_at = 0.0
            while True:
                if time.monotonic() >= again_at:
                    with connected(self._settings, "warehouse", patience="look") as warehouse:
                        self._published = counters.publish_again(client, warehouse, self._published)
                    again_at = time.monotonic() + _AGAIN_S
                if self._is_noted.wait(max(0, again_at - time.monotonic())):
                    self._is_noted.clear()
                    with self._lock:
                        noted, self._noted = self._noted, {}
                    counters.publish(client, noted.values())
                    time.sleep(_TOGETHER_S)

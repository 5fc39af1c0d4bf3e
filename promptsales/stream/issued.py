"""Refuse events that the source cannot have issued: of an epoch that has not begun, or from beyond the end of its log.

Such an event would outrank every real change of its row, so it becomes a dead letter. Whoever may write to a topic can
forge it, and the brokers allow only Kafka Connect to write change events; this is the second wall.

The epoch is compared with ``ops.connector``, exactly. The position may lie `AHEAD` bytes beyond the end that the source
named last; only then is the source asked again, so that a batch costs nothing. While the source does not answer, its
events pass: what it issued before must not wait for it.
"""

import asyncio
import time
from collections.abc import Sequence

from promptsales.connections import connected
from promptsales.errors import PipelineError, TerminalError
from promptsales.printable import logger
from promptsales.settings import Settings
from promptsales.specs.stream import Connector, stream_contracts
from promptsales.stream import connectors
from promptsales.stream.dead_letters import DeadLetter
from promptsales.stream.decode import Decoded, RowChange
from promptsales.stream.messages import Message
from promptsales.stream.truncations import Truncation

log = logger(__name__)

# a segment of PostgreSQL's log; real changes outrank a forged one again once the source has written as much
AHEAD = 16 * 2**20
_PATIENCE_S, _PAUSE_S = 5.0, 5.0
_EPOCHS = "select connector, epoch from ops.connector"
_END = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn, system_identifier::text from pg_control_system()"

Pair = tuple[Message, Decoded]


class Issued:
    """What the sources have issued so far: the epoch of each connector, and where its source's log ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connectors = {contract.topic: contract.source.system for contract in stream_contracts().values()}
        self._epochs: dict[str, int] = {}
        # a connector without an entry has a source that does not answer
        self._ends: dict[str, int] = {}
        self._asks_from: dict[str, float] = {}

    async def judge(self, pairs: Sequence[Pair]) -> Sequence[Pair]:
        """Return messages with what they say: a dead letter for each that the source cannot have issued."""
        if any(self._is_new(message) for message, _ in pairs):
            await self._read_epochs()
        if beyond := {self._connectors[message.topic] for message, item in pairs if self._is_beyond(message, item)}:
            await self._read_ends(beyond)
        faults = [self._find_fault(message, item) for message, item in pairs]
        if not any(faults):
            return pairs
        return [
            # the offsets must not take the forged epoch for that of their partition
            (message._replace(epoch=None), _bury(message, item, fault)) if fault else (message, item)
            for (message, item), fault in zip(pairs, faults, strict=True)
        ]

    def _is_new(self, message: Message) -> bool:
        return message.epoch is not None and message.epoch > self._epochs.get(self._connectors[message.topic], 0)

    def _is_beyond(self, message: Message, item: Decoded) -> bool:
        """Return whether an event of the current epoch lies too far beyond the known end of the log.

        Earlier epochs had a log of their own, and are outranked anyway.
        """
        connector = self._connectors[message.topic]
        if message.epoch != self._epochs.get(connector):
            return False
        return _find_position(item) > self._ends.get(connector, 0) + AHEAD

    def _find_fault(self, message: Message, item: Decoded) -> str:
        connector = self._connectors[message.topic]
        if connector in self._epochs and self._is_new(message):
            return (
                f"its epoch {message.epoch} has not begun: that of {connector} is {self._epochs[connector]}; if the "
                f"warehouse was restored from a backup, run `promptsales connectors snapshot {connector}`"
            )
        if connector in self._ends and self._is_beyond(message, item):
            return f"its log position lies beyond the end of the log of {connector}"
        return ""

    async def _read_epochs(self) -> None:
        """Read the current epochs; wait for the warehouse, without which nothing can be applied either."""
        while True:
            try:
                self._epochs = await asyncio.to_thread(_query_epochs, self._settings)
            except PipelineError as error:
                log.warning("cannot compare epochs: %s; retrying in %d s", error, _PAUSE_S)
                await asyncio.sleep(_PAUSE_S)
            else:
                return

    async def _read_ends(self, names: set[Connector]) -> None:
        for connector in names:
            if time.monotonic() < self._asks_from.get(connector, 0):
                continue
            try:
                end = asyncio.to_thread(_query_end, self._settings, connector)
                self._ends[connector] = await asyncio.wait_for(end, _PATIENCE_S)
            except (PipelineError, TimeoutError) as error:
                self._ends.pop(connector, None)
                self._asks_from[connector] = time.monotonic() + _PAUSE_S
                log.warning("cannot compare log positions of %s: %s", connector, error or "its source does not answer")


def _bury(message: Message, item: Decoded, fault: str) -> DeadLetter:
    return item if isinstance(item, DeadLetter) else DeadLetter(message, fault)


def _find_position(item: Decoded) -> int:
    if isinstance(item, RowChange):
        _, commit, _, lsn = item.version
        return max(commit, lsn)
    return max(item.commit, item.lsn) if isinstance(item, Truncation) else 0


def _query_epochs(settings: Settings) -> dict[str, int]:
    with connected(settings, "warehouse", patience="look") as warehouse:
        return dict(warehouse.execute(_EPOCHS).fetchall())


def _query_end(settings: Settings, connector: Connector) -> int:
    with connected(settings, "warehouse", patience="look") as warehouse:
        followed = connectors.read_followed(warehouse, connector)
    name = connectors.audit_of(connector)
    with connected(settings, name, patience="look") as source:
        end, cluster = source.execute(_END).fetchone() or (0, "")
    if followed and followed != cluster:
        raise TerminalError(
            f"the address {name.upper()} leads to another cluster than the connector follows; correct it"
        )
    return int(end)

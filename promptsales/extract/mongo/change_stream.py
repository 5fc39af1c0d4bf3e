"""A collection's change stream, drained from a stored token up to a cluster time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bson import Timestamp, json_util
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from promptsales.extract.mongo.ids import key_text

BATCH = 1_000
# who changed, and when: documents are read by their keys, so that no field but those of the contract leaves MongoDB
_PIPELINE = [{"$project": {"operationType": 1, "documentKey": 1, "clusterTime": 1}}]
# how long the server waits for more before it says that there is none
_AWAIT_MS = 100
# the oplog begins after the token; the token is not of this history; the stream cannot go on from it
_LOST = (286, 280, 260)


class Change(NamedTuple):
    """A document that was written, or deleted at a time."""

    key: str
    document_id: Any
    deleted_at: datetime | None


class TokenLost(Exception):
    """The stream cannot be resumed: the oplog no longer reaches back to the token, or the collection was dropped."""


def time_of(token: Mapping[str, Any]) -> Timestamp:
    """The cluster time that a resume token stands for: its first nine bytes (130, seconds, ordinal)."""
    head = bytes.fromhex(token["_data"][:18])
    return Timestamp(int.from_bytes(head[1:5], "big"), int.from_bytes(head[5:9], "big"))


def token_text(token: Mapping[str, Any] | None) -> str:
    """Return a resume token as JSON; beside text it may hold bytes, which tell the types of a number in an ``_id``."""
    return json_util.dumps(token)


def token_now(collection: Collection[dict[str, Any]]) -> str:
    """A token from which a stream goes on with whatever happens after this call."""
    with collection.watch(_PIPELINE, max_await_time_ms=_AWAIT_MS) as stream:
        while stream.resume_token is None:  # an empty answer carries one
            stream.try_next()
        return token_text(stream.resume_token)


class Drain:
    """The changes since a token, batch by batch, in each the last of every key.

    A document that was written and is not found was deleted since: tell by ``expect_delete``, and the stream is read on
    until it says so, but no further than to ``now()`` as it is when all else was read: by then the delete is in the
    stream, unless the document is there and its ``_id`` does not find it. Such keys are left in ``unexplained``.
    ``token`` is where the next drain goes on.
    """

    def __init__(
        self, collection: Collection[dict[str, Any]], token: str, until: Timestamp, now: Callable[[], Timestamp]
    ) -> None:
        self.token = token
        self.unexplained: set[str] = set()
        self._collection = collection
        self._until = until
        self._now = now
        self._last: Timestamp | None = None

    def expect_delete(self, keys: set[str]) -> None:
        """Read on for these keys; what is not found after that has begun is explained by the next drain."""
        if self._last is None:
            self.unexplained |= keys

    def __iter__(self) -> Iterator[list[Change]]:
        """The batches.

        Raises:
            TokenLost: when the stream cannot go on from the token.
        """
        try:
            with self._collection.watch(
                _PIPELINE, resume_after=json_util.loads(self.token), max_await_time_ms=_AWAIT_MS, batch_size=BATCH
            ) as stream:
                yield from self._batches(stream)
        except OperationFailure as error:
            if error.code not in _LOST:
                raise
            raise TokenLost(f"code {error.code}") from None

    def _batches(self, stream: ChangeStream[dict[str, Any]]) -> Iterator[list[Change]]:
        batch: dict[str, Change] = {}
        while True:
            event = stream.try_next()
            if event is not None:
                self._take(event, batch)
            has_all = self._has_all(event, stream, self._until)
            if batch and (event is None or has_all or len(batch) >= BATCH):
                yield list(batch.values())
                batch.clear()
            if has_all and self._is_done(event, stream):
                self.token = token_text(stream.resume_token)
                return
            if not stream.alive:
                raise TokenLost("the collection was dropped or renamed")

    def _is_done(self, event: Mapping[str, Any] | None, stream: ChangeStream[dict[str, Any]]) -> bool:
        if not self.unexplained:
            return True
        self._last = self._last or self._now()
        return self._has_all(event, stream, self._last)

    @staticmethod
    def _has_all(event: Mapping[str, Any] | None, stream: ChangeStream[dict[str, Any]], until: Timestamp) -> bool:
        if event is not None:
            return bool(event["clusterTime"] > until)
        return stream.resume_token is not None and time_of(stream.resume_token) >= until

    def _take(self, event: Mapping[str, Any], batch: dict[str, Change]) -> None:
        if "documentKey" not in event:
            return  # of the collection itself; if that is gone, the stream ends
        document_id = event["documentKey"]["_id"]
        key, is_delete = key_text(document_id), event["operationType"] == "delete"
        batch[key] = Change(key, document_id, event["clusterTime"].as_datetime() if is_delete else None)
        if is_delete:
            self.unexplained.discard(key)

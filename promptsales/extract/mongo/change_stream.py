"""Drain a collection's change stream from a stored token up to a cluster time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bson import Timestamp, json_util
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from promptsales.extract.mongo.ids import format_id

BATCH = 1_000
# only keys and times: documents are read by key with a projection, so only fields of the contract leave MongoDB
_PIPELINE = [{"$project": {"operationType": 1, "documentKey": 1, "clusterTime": 1}}]
# how long the server waits for an event before it answers with none
_AWAIT_MS = 100
# ChangeStreamHistoryLost, ChangeStreamFatalError, InvalidResumeToken
_LOST = (286, 280, 260)


class DocumentChange(NamedTuple):
    """A document that was written, or deleted at ``deleted_at``."""

    key: str
    document_id: Any
    deleted_at: datetime | None


class TokenLost(Exception):
    """The stream cannot be resumed: the oplog no longer reaches back to the token, or the collection was dropped."""


def decode_token_time(token: Mapping[str, Any]) -> Timestamp:
    """Return the cluster time of a resume token, from its first nine bytes (130, seconds, ordinal)."""
    head = bytes.fromhex(token["_data"][:18])
    return Timestamp(int.from_bytes(head[1:5], "big"), int.from_bytes(head[5:9], "big"))


def dump_token(token: Mapping[str, Any] | None) -> str:
    """Return a resume token as extended JSON: it may contain bytes, which keep the type of a number in an ``_id``."""
    return json_util.dumps(token)


def read_current_token(collection: Collection[dict[str, Any]]) -> str:
    """Return a token from which a stream resumes with the changes after this call."""
    with collection.watch(_PIPELINE, max_await_time_ms=_AWAIT_MS) as stream:
        while stream.resume_token is None:  # an empty answer has one too
            stream.try_next()
        return dump_token(stream.resume_token)


class Drain:
    """The changes since a token, in batches that hold the last change of each key.

    The caller passes keys that were written and cannot be read to ``expect_delete``. The stream is then read until
    their deletes come, at most up to the cluster time ``now()`` after the regular end. By then a delete is in the
    stream, unless the document exists and its ``_id`` does not find it. Such keys stay in ``unexplained``.
    ``token`` is where the next drain resumes.
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
        """Expect deletes of these keys; keys that come after the regular end are left to the next drain."""
        if self._last is None:
            self.unexplained |= keys

    def __iter__(self) -> Iterator[list[DocumentChange]]:
        """Yield the batches.

        Raises:
            TokenLost: when the stream cannot be resumed from the token.
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

    def _batches(self, stream: ChangeStream[dict[str, Any]]) -> Iterator[list[DocumentChange]]:
        batch: dict[str, DocumentChange] = {}
        while True:
            event = stream.try_next()
            if event is not None:
                self._take(event, batch)
            has_all = self._has_all(event, stream, self._until)
            if batch and (event is None or has_all or len(batch) >= BATCH):
                yield list(batch.values())
                batch.clear()
            if has_all and self._is_done(event, stream):
                self.token = dump_token(stream.resume_token)
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
        return stream.resume_token is not None and decode_token_time(stream.resume_token) >= until

    def _take(self, event: Mapping[str, Any], batch: dict[str, DocumentChange]) -> None:
        if "documentKey" not in event:
            return  # an event of the collection itself; a drop ends the stream
        document_id = event["documentKey"]["_id"]
        key, is_delete = format_id(document_id), event["operationType"] == "delete"
        batch[key] = DocumentChange(key, document_id, event["clusterTime"].as_datetime() if is_delete else None)
        if is_delete:
            self.unexplained.discard(key)

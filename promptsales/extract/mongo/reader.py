"""Reading a collection: what changed becomes hashed rows, those go through Kafka, and into staging."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import psycopg
from bson import Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient, ReadPreference
from pymongo.read_concern import ReadConcern

from promptsales.errors import SourceRefused, TransientError
from promptsales.extract.mongo import selection, staging, topic
from promptsales.extract.mongo.change_stream import BATCH, Drain, TokenLost, token_now
from promptsales.extract.mongo.ids import ids_of, is_askable, key_text
from promptsales.extract.mongo.rows import Document, Row, Rows
from promptsales.failures.mongo import mongo_errors
from promptsales.feeds.models import FeedProgress, Window
from promptsales.feeds.reader import CheckedKey, Copied, ReadRequest
from promptsales.feeds.state import FeedState
from promptsales.hashing.hashes import Key
from promptsales.names import topic_part
from promptsales.printable import logger
from promptsales.specs.feed import Contract

log = logger(__name__)
# at DEBUG the driver writes whole commands and answers to the log, and with them prompts in clear
logging.getLogger("pymongo.command").setLevel(logging.INFO)

# a date no clock of ours can show, text that is not UTF-8, or a UUID not of 16 bytes ends no read: the values are
# kept as they are, so that they can be told apart and quarantined
_CODEC: CodecOptions[Document] = CodecOptions(
    tz_aware=True,
    uuid_representation=0,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="surrogateescape",
)
_MAJORITY = ReadConcern("majority")


class Content(NamedTuple):
    """The document database, the brokers its changes go through, and the key its prompts are hashed with here."""

    client: MongoClient[Document]
    kafka: str
    key: Key


class ContentReader:
    """One extraction of a collection; a topic bears the collection's name."""

    def __init__(self, contract: Contract, source: Content) -> None:
        database, name = contract.source.relation.split(".", 1)
        self.contract = contract
        self.source = source
        self.database = source.client[database]
        # what a majority has, and from the primary: never behind the change that made us look, and never taken back
        self.collection = self.database.get_collection(
            name, codec_options=_CODEC, read_preference=ReadPreference.PRIMARY, read_concern=_MAJORITY
        )
        self.rows = Rows(contract, source.key)
        self.cursor = contract.column(contract.cursor).origin
        self.until = Timestamp(0, 0)
        self.token: str | None = None
        self.lost: str | None = None
        self.offsets: dict[int, int] = {}

    def read_clock(self) -> datetime:
        """The cluster time up to which every commit can be read now."""
        with mongo_errors(f"ask {self.contract.source.relation}"):
            self.until = self._cluster_time()
            clock: datetime = self.database.command("hello")["localTime"]
        return clock.replace(tzinfo=UTC)

    def _cluster_time(self) -> Timestamp:
        query = {"find": self.collection.name, "projection": {"_id": 1}, "limit": 1, "readConcern": _MAJORITY.document}
        return cast(Timestamp, self.database.command(query, codec_options=_CODEC)["operationTime"])

    def snapshot(self) -> AbstractContextManager[object]:
        """None is needed: whatever changes while it is read comes again by the change stream."""
        return nullcontext()

    def read_key(self) -> CheckedKey | None:
        """The key of the key files."""
        return self.source.key.check if self.contract.is_hashed else None

    def refuse_drift(self) -> None:
        """A collection has no columns: a field of another type is its document's fault, see `Rows`."""

    def count(self, wanted: ReadRequest) -> int:
        """Read and count; nothing is written."""
        with mongo_errors(f"read {self.contract.source.relation}"):
            return sum(1 for _ in self._wanted(wanted))

    def copy_into(self, warehouse: psycopg.Connection, wanted: ReadRequest) -> Copied:
        """Write the rows to the topic, read exactly those back into staging, and leave the last of every key."""
        wire, name = topic.Wire(self.contract), topic_part(self.contract.source.relation)
        with mongo_errors(f"read {name}"):
            messages = (wire.message(row, wanted.extraction) for row in self._wanted(wanted))
            written = topic.write(self.source.kafka, name, messages)
        self.offsets = written.end
        if not written.rows:
            return Copied(0)
        values = topic.read(self.source.kafka, name, written)
        rows = self._stage(warehouse, (wire.row(value) for value in values), wanted.extraction)
        if rows != written.rows:
            raise TransientError(f"topic {name} gave back {rows} of {written.rows} rows; it is tried again")
        earlier = warehouse.execute(staging.keep_latest(self.contract)).rowcount
        warehouse.execute(staging.complete_deletes(self.contract))
        gone = warehouse.execute(staging.drop_gone(self.contract), {"feed": self.contract.table}).fetchone()
        return Copied(rows - earlier, gone[0] if gone else 0)

    @property
    def is_own_clock(self) -> bool:
        """False: cluster time moves with what is written."""
        return False

    def compute_progress(self, feed_state: FeedState, window: Window | None, key: CheckedKey | None) -> FeedProgress:
        """Complete through the cluster time; after a lost token nobody knows, as deletes may have been missed."""
        watermark, complete_through = feed_state.last_sync_timestamp, feed_state.complete_through
        token, offsets = feed_state.resume_token, feed_state.kafka_offsets
        if window is None:
            watermark = max(filter(None, (watermark, self.until.as_datetime())))
            complete_through = None if self.lost else watermark
            token = self.token
            offsets = json.dumps(json.loads(offsets or "{}") | {str(key): at for key, at in self.offsets.items()})
        return FeedProgress(
            last_sync_timestamp=watermark,
            complete_through=complete_through,
            held_by=self.lost,
            pii_kid=key[0] if key else None,
            pii_check=key[1].hex() if key else None,
            resume_token=token,
            kafka_offsets=offsets,
        )

    def draw(self, warehouse: psycopg.Connection, load_id: int) -> None:
        """Put every document into staging, past the topic: for who compares, and takes them back."""
        with mongo_errors(f"read {self.contract.source.relation}"):
            self._stage(warehouse, ((*row, load_id) for row in self._since(None)), load_id)

    def changed_since(self, token: str | None) -> set[str]:
        """The keys of documents that were written or deleted since a token, up to now.

        Raises:
            SourceRefused: when the change stream does not reach back to it.
        """
        self.read_clock()
        keys: set[str] = set()
        try:
            if token is None:
                raise TokenLost("there is no token")
            with mongo_errors(f"read {self.contract.source.relation}"):
                for changes in Drain(self.collection, token, self.until, self._cluster_time):
                    keys.update(change.key for change in changes)
        except TokenLost as error:
            raise SourceRefused(
                f"feed {self.contract.table}: what changed since its last load cannot be known ({error}); "
                f"`promptsales load {self.contract.table}` first, which begins a new stream"
            ) from None
        return keys

    def still_there(self, keys: Sequence[str]) -> set[str]:
        """Which of some keys the collection has."""
        with mongo_errors(f"read {self.contract.source.relation}"):
            found = self.collection.find({"_id": {"$in": ids_of(keys)}}, {"_id": 1})
            return {key_text(document["_id"]) for document in found} & set(keys)

    def _stage(self, warehouse: psycopg.Connection, rows: Iterable[tuple[Any, ...]], load_id: int) -> int:
        """COPY the rows of this load; another run's, which lie between them, are left out."""
        types = [topic.bare(column.type) for column in self.contract.columns]
        with warehouse.cursor() as writer:
            with writer.copy(staging.copy_rows(self.contract)) as sink:
                sink.set_types([*types, "text[]", "bigint"])
                for row in rows:
                    if row[-1] == load_id:
                        sink.write_row(row)
            return writer.rowcount

    def _wanted(self, wanted: ReadRequest) -> Iterator[Row]:
        if wanted.window is not None:
            yield from self._window(wanted.window)
            return
        yield from self._again(wanted.retries)
        if wanted.resume_token is not None:
            if wanted.watermark is None:  # a new key: every document is hashed anew; what was deleted is in the stream
                yield from self._since(None)
            try:
                yield from self._drained(wanted.resume_token)
                return
            except TokenLost as error:
                self._note_loss(str(error))
        # before the first document is read: what changes meanwhile comes with the next drain
        self.token = token_now(self.collection)
        yield from self._since(wanted.watermark)

    def _window(self, window: Window) -> Iterator[Row]:
        is_in = selection.is_in(self.cursor, window.start, window.end)
        for document in self._find(selection.between(self.cursor, window.start, window.end)):
            if is_in(document):
                yield self.rows.of(document)

    def _since(self, watermark: datetime | None) -> Iterator[Row]:
        look_back = timedelta(seconds=self.contract.look_back_seconds)
        rows = {} if watermark is None else selection.between(self.cursor, watermark - look_back, None)
        yield from map(self.rows.of, self._find(rows))

    def _again(self, keys: Iterable[str]) -> Iterator[Row]:
        wanted = set(keys)
        for document in self._find({"_id": {"$in": ids_of(wanted)}}) if wanted else ():
            if key_text(document["_id"]) in wanted:
                yield self.rows.of(document)

    def _drained(self, token: str) -> Iterator[Row]:
        drain = Drain(self.collection, token, self.until, self._cluster_time)
        for changes in drain:
            written = {change.key: change.document_id for change in changes if change.deleted_at is None}
            for change in changes:
                if change.deleted_at is not None:
                    yield self.rows.deleted(change.key, change.deleted_at)
            for document in self._find({"_id": {"$in": list(filter(is_askable, written.values()))}}) if written else ():
                written.pop(key_text(document["_id"]), None)
                yield self.rows.of(document)
            drain.expect_delete(set(written))
        yield from map(self.rows.unreadable, sorted(drain.unexplained))
        self.token = drain.token

    def _find(self, which: selection.Filter) -> Iterator[Document]:
        # batches of a thousand were half as slow again with ten thousand (lessons/performance.md section f)
        return iter(self.collection.find(which, self.rows.projection, batch_size=BATCH))

    def _note_loss(self, why: str) -> None:
        self.lost = (
            f"the change stream of {self.contract.source.relation} cannot be resumed ({why}): read by {self.cursor} "
            f"with a look-back of {self.contract.look_back_seconds} s; deletes in between are for the reconciliation"
        )
        log.warning("feed %s: %s", self.contract.table, self.lost)

"""Read a collection: changed documents become hashed rows, which go through Kafka into staging."""

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
from promptsales.extract.mongo.change_stream import BATCH, Drain, TokenLost, read_current_token
from promptsales.extract.mongo.ids import format_id, is_queryable, parse_ids
from promptsales.extract.mongo.rows import Document, Row, RowMaker
from promptsales.failures.mongo import mongo_errors
from promptsales.feeds.models import FeedProgress, Window
from promptsales.feeds.reader import Copied, ReadRequest
from promptsales.feeds.state import FeedState
from promptsales.hashing.hashes import Key
from promptsales.hashing.keys import CheckedKey
from promptsales.names import topic_part
from promptsales.printable import logger
from promptsales.specs.feed import Contract

log = logger(__name__)
# at DEBUG the driver logs whole commands and answers, and with them prompts in clear text
logging.getLogger("pymongo.command").setLevel(logging.INFO)

# dates that Python cannot represent, text that is not UTF-8 and UUIDs that are not 16 bytes must not end the read:
# these settings keep the values, so that they become misfits and the rows go to quarantine
_CODEC: CodecOptions[Document] = CodecOptions(
    tz_aware=True,
    uuid_representation=0,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="surrogateescape",
)
_MAJORITY = ReadConcern("majority")


class Content(NamedTuple):
    """The document database, the brokers its rows go through, and the key with which the pipeline hashes prompts."""

    client: MongoClient[Document]
    kafka: str
    key: Key


class ContentReader:
    """An extraction of a collection; its topic has the collection's name."""

    def __init__(self, contract: Contract, source: Content) -> None:
        database, name = contract.source.relation.split(".", 1)
        self.contract = contract
        self.source = source
        self.database = source.client[database]
        # majority reads from the primary are never behind the change stream, and never rolled back
        self.collection = self.database.get_collection(
            name, codec_options=_CODEC, read_preference=ReadPreference.PRIMARY, read_concern=_MAJORITY
        )
        self.rows = RowMaker(contract, source.key)
        self.cursor = contract.column(contract.cursor).origin
        self.until = Timestamp(0, 0)
        self.token: str | None = None
        self.lost: str | None = None
        self.offsets: dict[int, int] = {}

    def read_clock(self) -> datetime:
        """Store the cluster time up to which every commit is readable, and return the server's clock."""
        with mongo_errors(f"ask {self.contract.source.relation}"):
            self.until = self._cluster_time()
            clock: datetime = self.database.command("hello")["localTime"]
        return clock.replace(tzinfo=UTC)

    def _cluster_time(self) -> Timestamp:
        query = {"find": self.collection.name, "projection": {"_id": 1}, "limit": 1, "readConcern": _MAJORITY.document}
        return cast(Timestamp, self.database.command(query, codec_options=_CODEC)["operationTime"])

    def snapshot(self) -> AbstractContextManager[object]:
        """Return an empty context: documents that change during the read come again in the change stream."""
        return nullcontext()

    def read_key(self) -> CheckedKey | None:
        """Return the number and check value of the key of the key files."""
        return self.source.key.check if self.contract.is_hashed else None

    def refuse_drift(self) -> None:
        """Accept any collection: a field of a wrong type is a misfit of its document (see `RowMaker`)."""

    def count(self, request: ReadRequest) -> int:
        """Read the rows and count them; nothing is written."""
        with mongo_errors(f"read {self.contract.source.relation}"):
            return sum(1 for _ in self._read_rows(request))

    def copy_into(self, warehouse: psycopg.Connection, request: ReadRequest) -> Copied:
        """Write the rows to the topic, read the same rows back into staging, and keep the last of each key."""
        wire, name = topic.Wire(self.contract), topic_part(self.contract.source.relation)
        with mongo_errors(f"read {name}"):
            messages = (wire.encode_row(row, request.extraction) for row in self._read_rows(request))
            written = topic.write(self.source.kafka, name, messages)
        self.offsets = written.end
        if not written.rows:
            return Copied(0)
        values = topic.read(self.source.kafka, name, written)
        rows = self._stage(warehouse, (wire.decode_row(value) for value in values), request.extraction)
        if rows != written.rows:
            raise TransientError(f"topic {name}: {rows} rows were read back, {written.rows} were written; retry later")
        earlier = warehouse.execute(staging.keep_latest(self.contract)).rowcount
        warehouse.execute(staging.complete_deletes(self.contract))
        gone = warehouse.execute(staging.drop_gone(self.contract), {"feed": self.contract.table}).fetchone()
        return Copied(rows - earlier, gone[0] if gone else 0)

    @property
    def is_own_clock(self) -> bool:
        """False: cluster time advances with writes."""
        return False

    def compute_progress(self, feed_state: FeedState, window: Window | None, key: CheckedKey | None) -> FeedProgress:
        """Return a state that is complete through the cluster time; unknown after a lost token, which loses deletes."""
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
            pii_kid=key.kid if key else None,
            pii_check=key.check.hex() if key else None,
            resume_token=token,
            kafka_offsets=offsets,
        )

    def stage_all(self, warehouse: psycopg.Connection, load_id: int) -> None:
        """Copy every document into staging without the topic, for a reconciliation that rolls them back."""
        with mongo_errors(f"read {self.contract.source.relation}"):
            self._stage(warehouse, ((*row, load_id) for row in self._since(None)), load_id)

    def find_changed_keys(self, token: str | None) -> set[str]:
        """Return the keys of documents that were written or deleted between a token and now.

        Raises:
            SourceRefused: when the change stream cannot be resumed from the token.
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
                f"feed {self.contract.table}: the changes since its last load cannot be known ({error}); "
                f"run `promptsales load {self.contract.table}` first, which begins a new stream"
            ) from None
        return keys

    def find_existing(self, keys: Sequence[str]) -> set[str]:
        """Return which of these keys the collection has."""
        with mongo_errors(f"read {self.contract.source.relation}"):
            documents = self.collection.find({"_id": {"$in": parse_ids(keys)}}, {"_id": 1})
            return {format_id(document["_id"]) for document in documents} & set(keys)

    def _stage(self, warehouse: psycopg.Connection, rows: Iterable[tuple[Any, ...]], load_id: int) -> int:
        """COPY the rows of this load; rows of a concurrent run that lie between them on the topic are skipped."""
        types = [topic.strip_size(column.type) for column in self.contract.columns]
        with warehouse.cursor() as writer:
            with writer.copy(staging.copy_rows(self.contract)) as sink:
                sink.set_types([*types, "text[]", "bigint"])
                for row in rows:
                    if row[-1] == load_id:
                        sink.write_row(row)
            return writer.rowcount

    def _read_rows(self, request: ReadRequest) -> Iterator[Row]:
        if request.window is not None:
            yield from self._window(request.window)
            return
        yield from self._retries(set(request.retries))
        if request.resume_token is not None:
            if request.watermark is None:  # a new key: hash every document again; the stream has the deletes
                yield from self._since(None)
            try:
                yield from self._drained(request.resume_token)
                return
            except TokenLost as error:
                self._note_loss(str(error))
        # taken before the first document is read, so that the next drain has the changes made during the read
        self.token = read_current_token(self.collection)
        yield from self._since(request.watermark)

    def _window(self, window: Window) -> Iterator[Row]:
        is_in_window = selection.make_range_check(self.cursor, window.start, window.end)
        for document in self._find(selection.build_filter(self.cursor, window.start, window.end)):
            if is_in_window(document):
                yield self.rows.make_row(document)

    def _since(self, watermark: datetime | None) -> Iterator[Row]:
        look_back = timedelta(seconds=self.contract.look_back_seconds)
        rows = {} if watermark is None else selection.build_filter(self.cursor, watermark - look_back, None)
        yield from map(self.rows.make_row, self._find(rows))

    def _retries(self, keys: set[str]) -> Iterator[Row]:
        for document in self._find({"_id": {"$in": parse_ids(keys)}}) if keys else ():
            if format_id(document["_id"]) in keys:
                yield self.rows.make_row(document)

    def _drained(self, token: str) -> Iterator[Row]:
        drain = Drain(self.collection, token, self.until, self._cluster_time)
        for changes in drain:
            written = {change.key: change.document_id for change in changes if change.deleted_at is None}
            for change in changes:
                if change.deleted_at is not None:
                    yield self.rows.make_delete(change.key, change.deleted_at)
            ids = list(filter(is_queryable, written.values()))
            for document in self._find({"_id": {"$in": ids}}) if written else ():
                written.pop(format_id(document["_id"]), None)
                yield self.rows.make_row(document)
            drain.expect_delete(set(written))
        yield from map(self.rows.make_unreadable, sorted(drain.unexplained))
        self.token = drain.token

    def _find(self, which: selection.Filter) -> Iterator[Document]:
        # reading 300,000 documents took 1.13 s in batches of a thousand, 1.75 s in batches of ten thousand
        return iter(self.collection.find(which, self.rows.projection, batch_size=BATCH))

    def _note_loss(self, why: str) -> None:
        self.lost = (
            f"the change stream of {self.contract.source.relation} cannot be resumed ({why}); this load reads by "
            f"{self.cursor} with a look-back of {self.contract.look_back_seconds} s, and the next reconciliation finds "
            "the deletes in between"
        )
        log.warning("feed %s: %s", self.contract.table, self.lost)

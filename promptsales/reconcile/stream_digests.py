"""Digests of all rows of a streamed table on both sides, by bucket of keys and by key."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import psycopg
from psycopg import sql

from promptsales.reconcile.compare import Bucket, pairs, rows_from
from promptsales.reconcile.statements import BUCKET
from promptsales.specs.stream import StreamContract
from promptsales.stream import compare

# of the warehouse and of the source, by key; None where it has no such row
Digests = tuple[int | None, int | None]

# made from the values that the audit compares
_DIGEST = """
    ('x' || left(encode(sha256(convert_to({values}::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
"""


class Sides(NamedTuple):
    """A table on both sides, and the connections that see it there; the source's is prepared (`compare.prepare`)."""

    contract: StreamContract
    warehouse: psycopg.Connection
    source: psycopg.Connection

    def buckets(self) -> tuple[dict[int, Bucket], dict[int, Bucket]]:
        """Return rows and the sum of their digests by bucket, of the warehouse and of the source, in this order."""
        ours, theirs = (_buckets(connection, query) for connection, query in self._queries(BUCKETS))
        return ours, theirs

    def unequal(self, buckets: list[int]) -> Iterator[tuple[str, Digests]]:
        """Yield each key of some buckets whose digests are not the same; both connections are in a snapshot."""
        ours, theirs = (
            rows_from(name, connection, query, {"buckets": buckets})
            for name, (connection, query) in zip(("warehouse", "source"), self._queries(IN_BUCKETS), strict=True)
        )
        for their_row, our_row in pairs(theirs, ours):
            digests = our_row and our_row.digest, their_row and their_row.digest
            if digests[0] != digests[1]:
                yield next(row.key for row in (our_row, their_row) if row), digests

    def of_keys(self, keys: list[str]) -> Mapping[str, Digests]:
        """Return the digests of some keys as they are now."""
        ours, theirs = (_of_keys(connection, query, keys) for connection, query in self._queries(OF_KEYS))
        return {key: (ours.get(key), theirs.get(key)) for key in keys}

    def _queries(self, template: str) -> Iterator[tuple[psycopg.Connection, sql.Composed]]:
        """Compose a query for each side: core is read before the source, so that the source is never older."""
        for connection, relation in (
            (self.warehouse, compare.compose_warehouse_rows(self.contract)),
            (self.source, compare.compose_source_rows(self.contract)),
        ):
            yield connection, composed(self.contract, template, relation)


def composed(contract: StreamContract, template: str, relation: sql.Composed) -> sql.Composed:
    """Compose one of this module's queries over the rows of a side, as `stream/compare.py` composes them."""
    key = sql.Identifier(contract.key)
    return sql.SQL(template).format(
        key=key, type=sql.SQL(contract.key_type), bucket=sql.SQL(BUCKET).format(key=key),
        digest=sql.SQL(_DIGEST).format(values=compare.compose_values(contract)), relation=relation,
    )  # fmt: skip


def _buckets(connection: psycopg.Connection, query: sql.Composed) -> dict[int, Bucket]:
    return {bucket: Bucket(rows, int(digests)) for bucket, rows, digests in connection.execute(query)}


def _of_keys(connection: psycopg.Connection, query: sql.Composed, keys: list[str]) -> dict[str, int]:
    return dict(connection.execute(query, {"keys": keys}).fetchall())


BUCKETS = """
    select {bucket}, count(*), sum({digest})
    from {relation} r
    where not is_deleted
    group by 1
"""
IN_BUCKETS = """
    select {key}::text collate "C" as key, {digest} as digest, null::timestamptz as changed_at
    from {relation} r
    where not is_deleted and {bucket} = any(%(buckets)s)
    order by 1
"""
OF_KEYS = """
    select {key}::text, {digest}
    from {relation} r
    where not is_deleted and {key} = any(%(keys)s::{type}[])
"""

"""Compute digests of all rows of a streamed table on both sides, by bucket of keys and by key."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import psycopg
from psycopg import sql

from promptsales.reconcile.compare import Bucket, pair_rows, read_buckets, stream_rows
from promptsales.reconcile.statements import BUCKET
from promptsales.specs.stream import StreamContract
from promptsales.stream import compare

# the digests of a key in the warehouse and at the source; None if there is no such row
Digests = tuple[int | None, int | None]

# over the same values that the audit compares
_DIGEST = """
    ('x' || left(encode(sha256(convert_to({values}::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint
"""


class Sides(NamedTuple):
    """A table and the connections to both sides; `compare.prepare` has prepared the source's."""

    contract: StreamContract
    warehouse: psycopg.Connection
    source: psycopg.Connection

    def read_buckets(self) -> tuple[dict[int, Bucket], dict[int, Bucket]]:
        """Return the buckets of the warehouse and of the source, by number."""
        warehouse, source = (read_buckets(connection, query) for connection, query in self._queries(BUCKETS))
        return warehouse, source

    def find_unequal(self, buckets: list[int]) -> Iterator[tuple[str, Digests]]:
        """Yield each key of some buckets whose digests differ; both connections must be in a snapshot."""
        warehouse, source = (
            stream_rows(name, connection, query, {"buckets": buckets})
            for name, (connection, query) in zip(("warehouse", "source"), self._queries(IN_BUCKETS), strict=True)
        )
        for source_row, warehouse_row in pair_rows(source, warehouse):
            digests = warehouse_row and warehouse_row.digest, source_row and source_row.digest
            if digests[0] != digests[1]:
                yield next(row.key for row in (warehouse_row, source_row) if row), digests

    def read_digests(self, keys: list[str]) -> Mapping[str, Digests]:
        """Return the current digests of some keys."""
        warehouse, source = (_read_digests(connection, query, keys) for connection, query in self._queries(OF_KEYS))
        return {key: (warehouse.get(key), source.get(key)) for key in keys}

    def _queries(self, template: str) -> Iterator[tuple[psycopg.Connection, sql.Composed]]:
        """Compose a query for each side; the warehouse comes first, so that the source is never older."""
        for connection, relation in (
            (self.warehouse, compare.compose_warehouse_rows(self.contract)),
            (self.source, compare.compose_source_rows(self.contract)),
        ):
            yield connection, compose(self.contract, template, relation)


def compose(contract: StreamContract, template: str, relation: sql.Composed) -> sql.Composed:
    """Compose one of this module's queries over a side's rows (`stream/compare.py` composes them)."""
    key = sql.Identifier(contract.key)
    return sql.SQL(template).format(
        key=key, type=sql.SQL(contract.key_type), bucket=sql.SQL(BUCKET).format(key=key),
        digest=sql.SQL(_DIGEST).format(values=compare.compose_values(contract)), relation=relation,
    )  # fmt: skip


def _read_digests(connection: psycopg.Connection, query: sql.Composed, keys: list[str]) -> dict[str, int]:
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

"""The statements of a streamed table, in the order in which it needs them."""

from collections.abc import Iterator
from datetime import UTC, datetime

from psycopg import sql

from promptsales.erasure import removal
from promptsales.provision import publications
from promptsales.quality.tables import living_rows
from promptsales.reconcile import stream_digests
from promptsales.specs.stream import StreamContract
from promptsales.stream import compare, judge_again, known, repair, sweep, truncate, waive
from promptsales.stream import statements as stream
from promptsales.stream.audit_books import compose_has_changed

Statements = Iterator[tuple[str, sql.Composable | bytes]]

_EPOCH = 7
_SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def statements(contract: StreamContract) -> Statements:
    """Yield the title and the text of each statement of a streamed table."""
    yield from _provision(contract)
    yield from _apply(contract)
    yield from _repair(contract)
    yield from _audit(contract)
    if contract.touched:
        yield "erase: touch the days of rows that name a person", removal.compose_touch(contract.layer, contract)


def _provision(contract: StreamContract) -> Statements:
    publication = publications.alter_publication(contract.source.system, [contract])
    yield "provision: its part of the publication, which has other tables too", publication
    yield "provision: what Debezium's role may read", publications.grant_script(contract)


def _apply(contract: StreamContract) -> Statements:
    yield "apply: the newest known versions", known.compose_known_rows(contract.table)
    yield f"apply: upsert into {contract.layer}.{contract.table}", stream.upsert(contract.table)
    if contract.history:
        for title, statement in zip(("amend", "close", "open"), stream.history(contract.table), strict=True):
            yield f"apply: {title} versions in the history", statement
    yield "apply: move bad versions to quarantine", stream.quarantine(contract.table)
    yield "apply: release rows from quarantine", stream.release(contract.table)


def _repair(contract: StreamContract) -> Statements:
    yield "repair: let the same version replace a row", repair.compose_make_way(contract)
    yield "repair: let the same version replace a payload", repair.compose_make_way_in_quarantine(contract)
    yield "repair: set a row aside that the table cannot hold", stream.set_aside(contract.table)
    yield "truncate: keys that are older than a TRUNCATE", truncate.compose_older_keys(contract)
    yield "sweep: keys of earlier epochs", sweep.compose_leftover_keys(contract, _EPOCH)
    yield "sweep: which of some keys the source has", sweep.compose_existing_keys(contract)
    yield "waive: lock the row", waive.compose_lock(contract)
    yield "waive: release the row of quarantine", compare.compose_waive(contract)
    yield "judge again: open rows of quarantine", judge_again.compose_open_rows(contract)


def _audit(contract: StreamContract) -> Statements:
    yield "check: the living rows", living_rows(contract, None)
    yield "check: the living rows that were loaded since a time", living_rows(contract, _SINCE)
    yield "audit: whether anything has come since a time", compose_has_changed(contract)
    for side, rows in (
        ("warehouse", compare.compose_warehouse_rows(contract)),
        ("source", compare.compose_source_rows(contract)),
    ):
        yield f"audit: rows and sums by hour of the {side}", compare.compose_by_hour(contract, rows)
        yield f"audit: keys of some hours of the {side}", compare.compose_keys_of_hours(contract, rows)
        yield f"audit: digests by bucket of the {side}", stream_digests.compose(contract, stream_digests.BUCKETS, rows)
        yield f"audit: digests by key of the {side}", stream_digests.compose(contract, stream_digests.IN_BUCKETS, rows)
        yield (
            f"audit: digests of some keys of the {side}",
            stream_digests.compose(contract, stream_digests.OF_KEYS, rows),
        )
    yield "audit: rows by key of the warehouse", compare.compose_by_key(contract)
    yield "audit: rows by key of the source", compare.compose_source_by_key(contract)

"""Erase a person: remove the rows from every table, keep them out of later loads, and verify it by a search.

All of it is one transaction. It fences off all loads first, so that a load which has staged rows of the person cannot
publish them.
"""

from typing import NamedTuple

import psycopg

from promptsales.erasure import removal
from promptsales.erasure.removal import TableChange
from promptsales.erasure.suppression import ErasedRow
from promptsales.errors import TransientError
from promptsales.marts import plan
from promptsales.privacy import scope
from promptsales.privacy.person import Person, find
from promptsales.settings import settings


class Report(NamedTuple):
    """The changes of an erasure, and how much the final search covered and found."""

    changes: list[TableChange]
    tables: int
    columns: int
    needles: int
    left: int


def erase(warehouse: psycopg.Connection, person: Person, expect: int | None = None) -> Report:
    """Remove the rows that `find` returned, keep them out of later loads, and search every table for the person.

    Args:
        warehouse: a connection as the warehouse's administrator.
        person: what `find` returned.
        expect: how many ids the operator expects; needed above the limits of `promptsales.privacy.scope`.

    Raises:
        ConfigError: when it would take more than one person has, or another number of ids than expected; nothing was
            erased.
        TransientError: when the person's rows are not those that were listed, or a build or a load does not end;
            nothing was erased.
        TerminalError: when the search finds the person; nothing was erased.
    """
    scope.refuse_ids(person, expect)
    with warehouse.transaction():
        removal.exclude_others(warehouse)
        current = find(warehouse, person.asked, person.feed, person.follow)
        if current.keys != person.keys or current.hashes != person.hashes:
            raise TransientError(
                "the person's rows have changed since they were listed; nothing was erased; list them again"
            )
        if expect is None:
            scope.refuse_rows(list(scope.count_rows(warehouse, person, facts_only=True)), len(person.keys))
        removal.suppress(warehouse, _rows(person))
        since = plan.now(warehouse)
        done = removal.remove(
            warehouse,
            [key for _, key in person.keys],
            person.hashes,
            lambda: plan.touch_what_follows(warehouse, settings(), since),
        )
    columns = sum(table.columns for table in done.tables)
    return Report(done.changes, len(done.tables), columns, len(person.needles), left=0)


def _rows(person: Person) -> list[ErasedRow]:
    """Return the rows to suppress; where a row is in core and in quarantine, the values of core count."""
    known = {(row.feed, row.key): row for row in sorted(person.rows, key=lambda row: row.place, reverse=True)}
    rows = [(feed, key, known.get((feed, key))) for feed, key in person.keys]
    return [
        # without a hash no key either: a load under a new key would learn the hash, which may be one of strangers
        ErasedRow(feed, key, row.email_hmac, row.pii_kid, row.row_changed_at)
        if row and row.email_hmac
        else ErasedRow(feed, key)
        for feed, key, row in rows
    ]

"""A person erased: removed from every table, kept out from now on, and searched for.

All of it is one transaction, which starts by fencing every load off: a load that has rows of the person in hand cannot
publish them afterwards.
"""

from typing import NamedTuple

import psycopg

from promptsales.erasure import removal
from promptsales.erasure.removal import Changed, Erased
from promptsales.errors import TransientError
from promptsales.marts import plan
from promptsales.privacy.person import Person, find
from promptsales.settings import settings


class Report(NamedTuple):
    """What was done, and what the search at the end looked at and found."""

    changes: list[Changed]
    tables: int
    columns: int
    needles: int
    left: int


def erase(warehouse: psycopg.Connection, person: Person) -> Report:
    """Remove what `find` found, keep it out from now on, and search every table for what may be left.

    Raises:
        TransientError: when the person has other rows by now than were listed, or marts are being built, or a load does
            not end; nothing was erased.
        TerminalError: when the search finds something; nothing was erased.
    """
    with warehouse.transaction():
        removal.exclude_others(warehouse)
        again = find(warehouse, person.asked, person.feed, person.follow_phone)
        if again.keys != person.keys or again.hashes != person.hashes:
            raise TransientError("the person has other rows now than were listed; nothing was erased, look again")
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


def _rows(person: Person) -> list[Erased]:
    """Feed, id and hash of each row; what core shows counts before what waits in quarantine."""
    known = {(row.feed, row.key): row for row in sorted(person.rows, key=lambda row: row.place, reverse=True)}
    rows = [(feed, key, known.get((feed, key))) for feed, key in person.keys]
    return [
        Erased(feed, key, row.email_hmac, row.pii_kid, row.row_changed_at) if row else Erased(feed, key)
        for feed, key, row in rows
    ]

"""What an erasure would take, and the refusal of one that would take strangers.

A made-up address such as none@none.com, or the number of a switchboard, connects strangers. An erasure that takes more
than one person normally has needs the number of ids that its operator expects.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import psycopg

from promptsales.erasure import search
from promptsales.erasure.suppression import MOST_IDS
from promptsales.errors import ConfigError
from promptsales.privacy.person import KINDS, Person

# the rows of core and realtime that name the person, as owner of other rows too. Their history, and marts, which have a
# row a day, say less about whether they are one person's
MOST_ROWS = 1_000
FLAGS = {"email_hmac": "--no-follow-email", "phone_hmac": "--no-follow-phone", "click_id_hmac": "--no-follow-click"}


class SharedHash(NamedTuple):
    """A hash that several ids share: what it is a hash of, and how many ids have it."""

    kind: str
    digest: str
    ids: int


class TableRows(NamedTuple):
    """How many rows of a table name the person."""

    table: str
    rows: int

    @property
    def is_fact(self) -> bool:
        """Whether the table counts for `MOST_ROWS`."""
        return _is_fact(self.table)


def shared_hashes(person: Person) -> list[SharedHash]:
    """Return the hashes that connect the person's ids, those of most ids first."""
    owners: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row in person.rows:
        for kind, digest in zip(row.kinds, row.hashes, strict=True):
            owners.setdefault((kind, digest.hex()), set()).add((row.feed, row.key))
    shared = [SharedHash(*of, len(ids)) for of, ids in owners.items() if len(ids) > 1]
    return sorted(shared, key=lambda found: (-found.ids, found.digest))


def count_by_feed(person: Person) -> list[tuple[str, str, int]]:
    """Return feed, place and number of the person's own rows."""
    return [(*of, count) for of, count in sorted(Counter((row.feed, row.place) for row in person.rows).items())]


def _is_fact(table: str) -> bool:
    return table.startswith(("core.", "realtime.")) and not table.endswith("_history")


def count_rows(warehouse: psycopg.Connection, person: Person, *, facts_only: bool = False) -> Iterator[TableRows]:
    """Yield the tables that name the person, and in how many rows; the search reads each table once."""
    tables = [table for table in search.list_tables(warehouse) if not facts_only or _is_fact(table.full_name)]
    for table, rows in search.find_holding(warehouse, tables, person.needles):
        yield TableRows(table.full_name, rows)


def refuse_ids(person: Person, expect: int | None) -> None:
    """Refuse an erasure of more ids than one person has, or of another number than expected.

    Raises:
        ConfigError: when the operator expects another number, or none and there are more than `MOST_IDS`.
    """
    ids = len(person.keys)
    if expect is not None and expect != ids:
        raise ConfigError(
            f"this would erase {ids} ids, --expect says {expect}; nothing was erased; list them with --dry-run, then "
            f"pass --expect {ids} if all of them are this person"
        )
    if expect is None and ids > MOST_IDS:
        raise ConfigError(
            f"this would erase {ids} ids, more than {MOST_IDS}: {_describe(person)}; nothing was erased; strangers may "
            f"share a made-up address or a switchboard: leave it out ({', '.join(_flags(person))}), or pass "
            f"--expect {ids} if all of them are this person"
        )


def refuse_rows(rows: list[TableRows], ids: int) -> None:
    """Refuse an erasure that changes more rows than one person's, for an operator who expects no number of ids.

    Raises:
        ConfigError: when more than `MOST_ROWS` rows name the person.
    """
    facts = [table for table in rows if table.is_fact]
    total = sum(table.rows for table in facts)
    if total > MOST_ROWS:
        most = sorted(facts, key=lambda table: -table.rows)
        named = ", ".join(f"{table.rows} of {table.table}" for table in most[:5])
        raise ConfigError(
            f"this would delete or change {total} rows of core and realtime, more than {MOST_ROWS}: {named}; nothing "
            f"was erased; list them with --dry-run, then pass --expect {ids} if this is right"
        )


def _describe(person: Person) -> str:
    """Return which hashes connect most ids."""
    examples = islice(shared_hashes(person), 3)
    return "; ".join(f"{shared.ids} share {KINDS[shared.kind]} {shared.digest[:16]}.." for shared in examples)


def _flags(person: Person) -> list[str]:
    return sorted({FLAGS[kind] for row in person.rows for kind in row.kinds})

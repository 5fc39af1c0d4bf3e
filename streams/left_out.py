"""Values that events leave out: Debezium does not send a large value that an update left as it was.

Where the version before broke a rule by this very value, so does the one that leaves it out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from promptsales.stream_contracts import stream_contracts
from promptsales.stream_limits import TOO_LARGE, limits
from streams.batch import Batch
from streams.decode import NOT_AN_OBJECT, UNCHANGED, Change

_HELD = "select key, rules from ops.quarantine where feed = %s and key = any(%s) and released_at is null"


async def with_rules_carried(connection: psycopg.AsyncConnection[Any], batch: Batch) -> Batch:
    """Return the batch with the rules that its versions break by values they leave out."""
    changes: list[Change] = []
    for table in batch.tables():
        mine = sorted((change for change in batch.changes if change.table == table), key=lambda change: change.version)
        names = tuple(limits(stream_contracts()[table]))
        if keys := [str(change.key) for change in mine if _left_out(change, names)]:
            rows = await (await connection.execute(_HELD, [table, keys])).fetchall()
            mine = _carried(mine, names, dict(rows))
        changes += mine
    return batch._replace(changes=tuple(changes))


def _left_out(change: Change, names: Sequence[str]) -> list[str]:
    return [name for name in names if getattr(change.row, name) == UNCHANGED]


def _carried(changes: Sequence[Change], names: Sequence[str], held: Mapping[str, Sequence[str]]) -> list[Change]:
    """Carry broken rules from each version of a row to the next; ``held`` are those of quarantine, by key."""
    found: list[Change] = []
    rules: dict[str, Sequence[str]] = dict(held)
    for change in changes:
        kinds = [kind.format(name) for name in _left_out(change, names) for kind in (TOO_LARGE, NOT_AN_OBJECT)]
        before = rules.get(str(change.key), ())
        broken = [*change.broken, *(rule for rule in kinds if rule in before and rule not in change.broken)]
        found.append(change._replace(broken=broken))
        rules[str(change.key)] = broken
    return found

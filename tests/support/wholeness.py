"""Conditions that must hold once all is applied, whatever happened to the stream before."""

from collections.abc import Iterator

import psycopg

from promptsales.settings import Settings
from tests.support.figures import miscounted
from tests.support.streaming import differing

_BEGAN, _DEADLOCK = "@warehouse LOG:  followed from here", "@warehouse ERROR:  deadlock detected"
_NONE_OF = {
    # corrections move spend between campaigns, so a level may be crossed more than once
    "a campaign's spend has reached a level and nobody was told": """
        select c.campaign_id, level
        from core.campaigns c cross join unnest(array[80, 100, 120]) as level
        where not c.is_deleted and c.budget * level <= 100 * (
            select sum(m.spend) from core.campaign_metrics m
            where m.campaign_id = c.campaign_id and not m.is_deleted
        ) and not exists (
            select from realtime.budget_alert a where a.campaign_id = c.campaign_id and a.level_pct = level
        )
    """,
    "an alert without its reason": """
        select campaign_id, level_pct from realtime.budget_alert where budget * level_pct > 100 * spend
    """,
    "a dead letter": "select topic, partition, message_offset, reason from ops.dead_letter",
}


def amiss(stack: Settings) -> list[str]:
    """Return everything that is wrong: rows, figures, alerts; a line each, with a few examples."""
    with psycopg.connect(stack.address("warehouse"), autocommit=True) as warehouse:
        return list(_amiss(stack, warehouse))


def _amiss(stack: Settings, warehouse: psycopg.Connection) -> Iterator[str]:
    for table, rows in (differing(stack, warehouse) | miscounted(warehouse)).items():
        yield f"{table}: {len(rows)} rows that one side has only, such as {rows[:4]}"
    for what, query in _NONE_OF.items():
        if rows := warehouse.execute(query.encode()).fetchall():
            yield f"{what}: {rows[:4]}"
    if lines := deadlocks(stack):
        yield f"deadlocks: {lines[:4]}"


def deadlocks(stack: Settings) -> list[str]:
    """Return the warehouse's deadlocks since streaming began, from the server's log: a crash resets the counter."""
    logs = sorted((stack.state / "logs").glob("warehouse.log*"), reverse=True)
    lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()]
    began = max((number for number, line in enumerate(lines) if _BEGAN in line), default=0)
    return [line for line in lines[began:] if _DEADLOCK in line]

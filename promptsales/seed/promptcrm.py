"""Fill PromptCrm with sample data, one chunk of leads at a time, so that memory does not grow with their number."""

import psycopg

from promptsales.seed.accounts import Stage, account_contacts, accounts, stages
from promptsales.seed.copying import Tally, copy_rows, statement, system_to_fill
from promptsales.seed.deals import (
    Opportunity,
    activities_of,
    contacts_of,
    direct_opportunities,
    moves_of,
    opportunities_of,
    planted_activities,
    planted_opportunities,
)
from promptsales.seed.leads import Lead, lead_chunks, planted_leads
from promptsales.seed.world import World
from promptsales.settings import Settings


def fill(settings: Settings, world: World, tally: Tally) -> bool:
    """Fill the system in one transaction; return False when it already holds accounts.

    Raises:
        TransientError: when the system cannot be reached.
        TerminalError: when it rejects a statement, for instance because its schema is not provisioned.
    """
    with system_to_fill(settings, "promptcrm", "crm.accounts") as connection:
        if connection is None:
            return False
        # a lead and its opportunity refer to each other
        connection.execute("set constraints all deferred")
        copy_rows(connection, "crm.accounts", accounts(world), tally)
        copy_rows(connection, "crm.contacts", account_contacts(world), tally)
        copy_rows(connection, "crm.pipeline_stages", _missing_stages(connection, world), tally)
        for number, leads in enumerate(lead_chunks(world)):
            _fill_chunk(connection, world, number, leads, tally)
        _fill_rest(connection, world, tally)
    return True


def _missing_stages(connection: psycopg.Connection, world: World) -> list[Stage]:
    """Return the stages that do not exist yet; the source does not allow deleting them, so some can be left over."""
    existing = {key for (key,) in connection.execute("select id from crm.pipeline_stages")}
    return [stage for stage in stages(world) if stage.id not in existing]


def _fill_chunk(connection: psycopg.Connection, world: World, number: int, leads: list[Lead], tally: Tally) -> None:
    rng = world.rng("deals", number)
    copy_rows(connection, "crm.contacts", contacts_of(leads), tally)
    copy_rows(connection, "crm.leads", leads, tally)
    _fill_opportunities(connection, world, number, list(opportunities_of(world, rng, leads)), tally)
    copy_rows(connection, "crm.activities", activities_of(world, rng, leads), tally)


def _fill_opportunities(
    connection: psycopg.Connection, world: World, number: int, opportunities: list[Opportunity], tally: Tally
) -> None:
    """Insert deals in their first stage and then move them, so that the source's triggers write the history."""
    copy_rows(connection, "crm.opportunities", opportunities, tally)
    moves = list(moves_of(world, world.rng("moves", number), opportunities))
    with connection.cursor() as cursor:
        cursor.executemany(statement("move_opportunity"), [move._asdict() for move in moves])
    tally.add("crm.opportunity_stage_history", len(opportunities) + len(moves))


def _fill_rest(connection: psycopg.Connection, world: World, tally: Tally) -> None:
    """Write the deals without a lead and the planted rows, and mark accounts with won deals as customers."""
    _fill_opportunities(connection, world, -1, list(direct_opportunities(world)), tally)
    planted = list(planted_opportunities(world))
    _fill_opportunities(connection, world, -2, planted, tally)
    copy_rows(connection, "crm.leads", planted_leads(world), tally)
    copy_rows(connection, "crm.activities", planted_activities(world), tally)
    connection.execute(statement("mark_customers"))

"""Rows that follow from leads: contacts, deals that move, activities."""

from collections import defaultdict
from itertools import chain, pairwise

import pytest

from promptsales.seed.accounts import LOST, WON, account_contacts, accounts, stages
from promptsales.seed.deals import (
    Move,
    Opportunity,
    activities_of,
    contacts_of,
    direct_opportunities,
    moves_of,
    next_stage,
    opportunities_of,
    planted_activities,
    planted_opportunities,
)
from promptsales.seed.leads import Lead, lead_chunks
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.world import World


@pytest.fixture(scope="module")
def leads(world: World) -> list[Lead]:
    return list(chain.from_iterable(lead_chunks(world)))


@pytest.fixture(scope="module")
def deals(world: World, leads: list[Lead]) -> list[Opportunity]:
    return [*opportunities_of(world, world.rng("test"), leads), *direct_opportunities(world)]


def test_accounts_and_their_contacts(world: World, same_world: World) -> None:
    companies, persons = list(accounts(world)), list(account_contacts(world))

    assert companies == list(accounts(same_world))
    assert persons == list(account_contacts(same_world))
    assert (
        len({(account.owner_user_id, account.domain) for account in companies})
        == len(companies)
        == world.scale.accounts
    )
    assert sum(account.created_at >= FAR_FUTURE for account in companies) == PLANTED["accounts"]
    assert sum(person.created_at >= FAR_FUTURE for person in persons) == PLANTED["contacts"]


def test_converted_leads_have_their_contact_and_account(world: World, leads: list[Lead]) -> None:
    persons = {person.id: person for person in contacts_of(leads)}
    known = {account.id: account.owner_user_id for account in accounts(world)}
    converted = [lead for lead in leads if lead.status == "converted"]

    assert len(persons) == len(converted) > 100
    for lead in converted:
        assert lead.converted_contact_id
        assert lead.converted_account_id
        assert persons[lead.converted_contact_id].email == lead.email
        assert known[lead.converted_account_id] == lead.owner_user_id


def test_contacts_have_addresses_of_their_own(world: World, leads: list[Lead]) -> None:
    addresses = [(p.owner_user_id, p.email.lower()) for p in (*contacts_of(leads), *account_contacts(world)) if p.email]

    assert len(set(addresses)) == len(addresses)


def test_opportunities_of_leads_exist(world: World, leads: list[Lead], deals: list[Opportunity]) -> None:
    assert {lead.converted_opportunity_id for lead in leads} - {None} <= {deal.id for deal in deals}
    assert {deal.account_id for deal in deals if deal.source_lead_id is None} > {None}


def test_moves_follow_one_another(world: World, deals: list[Opportunity]) -> None:
    of: dict[object, list[Move]] = defaultdict(list)
    for move in moves_of(world, world.rng("test"), deals):
        of[move.opportunity_id].append(move)
    for deal in deals:
        places = [deal.stage_id, *(move.stage_id for move in of[deal.id])]
        times = [deal.created_at, *(move.entered_at for move in of[deal.id])]
        assert all(place != next_place for place, next_place in pairwise(places))
        assert times == sorted(times)
        assert times[-1] <= world.anchor


def test_deals_without_account_stay_open(world: World, deals: list[Opportunity]) -> None:
    closed = {stage.id for stage in stages(world) if stage.is_closed}
    homeless = [deal for deal in deals if deal.account_id is None]

    assert not closed & {move.stage_id for move in moves_of(world, world.rng("test"), homeless)}


@pytest.mark.parametrize("stage", range(LOST + 1))
def test_next_stage_is_another(world: World, stage: int) -> None:
    rng = world.rng("test")
    reached = {next_stage(rng, stage) for _ in range(200)}

    assert stage not in reached
    assert reached <= set(range(LOST + 1))
    assert stage < WON or reached == {WON - 1}


def test_activities_have_parents_and_times(world: World, leads: list[Lead]) -> None:
    activities = [*activities_of(world, world.rng("test"), leads), *planted_activities(world)]

    for activity in activities:
        assert activity.lead_id or activity.opportunity_id or activity.account_id
        assert activity.occurred_at or activity.due_at
    assert sum((activity.duration_seconds or 0) > 86_400 for activity in activities) == PLANTED["activities"]


def test_planted_opportunities_are_in_no_currency(world: World) -> None:
    assert [deal.currency_code for deal in planted_opportunities(world)] == ["ZZZ"] * PLANTED["opportunities"]

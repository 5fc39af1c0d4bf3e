"""Leads: reproducible, accepted by the CRM, and related to existing rows."""

from collections import Counter
from itertools import chain

import pytest

from promptsales.seed.campaigns import ads, campaigns
from promptsales.seed.leads import Lead, lead_chunks, planted_leads
from promptsales.seed.planted import FAR_FUTURE, PLANTED
from promptsales.seed.world import World


@pytest.fixture(scope="module")
def leads(world: World) -> list[Lead]:
    return list(chain.from_iterable(lead_chunks(world)))


def test_same_seed_same_rows(leads: list[Lead], same_world: World, world: World) -> None:
    assert leads == list(chain.from_iterable(lead_chunks(same_world)))
    assert list(planted_leads(world)) == list(planted_leads(same_world))


def test_as_many_as_the_size_says(leads: list[Lead], world: World) -> None:
    planted = list(planted_leads(world))

    assert len(planted) == PLANTED["leads"]
    assert len(leads) + len(planted) == world.scale.leads
    assert len({lead.id for lead in chain(leads, planted)}) == world.scale.leads


def test_planted_are_new_and_created_in_the_far_future(world: World) -> None:
    for lead in planted_leads(world):
        assert lead.created_at >= FAR_FUTURE
        assert (lead.status, lead.qualified_at, lead.converted_at, lead.deleted_at) == ("new", None, None, None)


def test_status_and_milestones_agree(leads: list[Lead], world: World) -> None:
    for lead in leads:
        assert (
            (lead.status == "converted") == (lead.converted_at is not None) == (lead.converted_contact_id is not None)
        )
        assert (lead.status == "disqualified") == (lead.disqualified_at is not None)
        moments = [lead.created_at, lead.qualified_at, lead.converted_at or lead.disqualified_at]
        reached = [moment for moment in moments if moment]
        assert reached == sorted(reached)
        assert reached[-1] <= world.anchor


def test_every_status_and_source_occurs(leads: list[Lead]) -> None:
    statuses, sources = Counter(lead.status for lead in leads), Counter(lead.lead_source for lead in leads)

    assert set(statuses) == {"new", "working", "qualified", "converted", "disqualified"}
    assert min(statuses.values()) > 100
    assert len(sources) == 7
    assert min(sources.values()) > 50


def test_most_campaigns_and_ads_exist_and_some_do_not(leads: list[Lead], world: World) -> None:
    known = {campaign.id for campaign in campaigns(world)}
    named = [lead.campaign_id in known for lead in leads if lead.campaign_id]

    assert {lead.ad_id for lead in leads if lead.ad_id} <= {ad.id for ad in ads(world)}
    assert 0.8 < sum(named) / len(named) < 1


def test_persons_are_invented(leads: list[Lead]) -> None:
    addresses = [lead.email.strip().lower() for lead in leads if lead.email]

    assert all(address.endswith(".example") for address in addresses)
    assert all("55501" in "".join(filter(str.isdigit, lead.phone)) for lead in leads if lead.phone)
    malformed = sum("@" not in address for address in addresses)
    assert 0 < malformed < len(addresses) / 20


def test_erased_keep_nothing_personal(leads: list[Lead]) -> None:
    erased = [lead for lead in leads if lead.first_name is None]

    assert erased
    assert all(lead.deleted_at and not (lead.email or lead.phone or lead.last_name) for lead in erased)


def test_merged_point_at_a_survivor(leads: list[Lead]) -> None:
    by_id = {lead.id: lead for lead in leads}
    merged = [lead for lead in leads if lead.merged_into_id]

    assert merged
    assert all(by_id[lead.merged_into_id].merged_into_id is None for lead in merged if lead.merged_into_id)


def test_weekend_is_quieter(leads: list[Lead]) -> None:
    days = Counter(lead.created_at.weekday() for lead in leads)

    assert max(days[5], days[6]) < min(days[day] for day in range(5))

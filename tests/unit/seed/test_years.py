"""Sample data over years: as many rows as over 90 days, spread over a longer time."""

from datetime import datetime
from itertools import chain

from promptsales.seed.campaigns import active_flights, flights
from promptsales.seed.deals import direct_opportunities
from promptsales.seed.leads import lead_chunks
from promptsales.seed.planted import PLANTED
from promptsales.seed.promptcontent import prompts
from promptsales.seed.promptsales import users
from promptsales.seed.world import SCALES, Size, World, naive

YEARS, SMALL = range(2016, 2026), SCALES[Size.SMALL]


def test_each_of_ten_years_has_rows(world: World) -> None:
    long = World(world.anchor, SMALL, days=3_652)
    leads = list(chain.from_iterable(lead_chunks(long)))
    assert len(leads) == SMALL.leads - PLANTED["leads"]
    # a campaign that begins at the end of a year runs into the next one
    years = {flight.first_day.year for flight in flights(long)}
    assert years | {year + 1 for year in years} >= {*YEARS}
    for name, moments in {
        "leads": [lead.created_at for lead in leads],
        "deals": [deal.created_at for deal in direct_opportunities(long)],
        "prompts": [prompt["timestamp"] for prompt in prompts(long) if isinstance(prompt.get("timestamp"), datetime)],
    }.items():
        assert {moment.year for moment in moments} == {*YEARS, 2026}, name
        assert min(moments) >= long.day(-3_652 - 31), name
    assert max(user.created_at for user in users(long)) < naive(long.day(-3_652))
    assert len(active_flights(long)) > 5

"""PromptAds at work: measurements, corrections and deletes, in transactions of its own."""

import psycopg

from promptsales.settings import Settings
from tests.support.working import Work

CAMPAIGNS = 8

_OWNER = """
    insert into promptsales.users (email, password_hash, role)
    values (gen_random_uuid() || '@example.com', 'x', 'viewer')
    returning id
"""
_CAMPAIGN = """
    insert into promptads.campaigns (user_id, name, objective, budget, status, start_date, end_date)
    select %s, 'c' || n, 'conversions', 40, 'active', now() - interval '1 day', now() + interval '9 days'
    from generate_series(1, %s) n
"""
_MEASURE = """
    insert into promptads.campaign_metrics (campaign_id, timestamp, impressions, clicks, spend, conversions)
    select id, (now() at time zone 'UTC') - make_interval(secs => random() * 300), 90, 9, 0.25, 1
    from promptads.campaigns order by random() limit 5
"""
# from a random id on: as cheap after a night as in the first minute
_SOME = """
    select id from promptads.campaign_metrics
    where id >= (select min(id) + floor(random() * (max(id) - min(id) + 1)) from promptads.campaign_metrics)
    order by id
"""
_CORRECT = f"""
    update promptads.campaign_metrics
    set spend = spend + 0.5, clicks = clicks + 1, timestamp = timestamp - interval '2 minutes',
        campaign_id = (select id from promptads.campaigns order by random() limit 1)
    where id in ({_SOME} limit 2)
"""  # noqa: S608 - of our own
# the oldest one, and what would let the table grow for ever
_DELETE = """
    delete from promptads.campaign_metrics
    where id = (select min(id) from promptads.campaign_metrics)
       or id < (select max(id) - 20000 from promptads.campaign_metrics)
"""
_BREAK = f"update promptads.campaign_metrics set clicks = -1 where id in ({_SOME} limit 1)"  # noqa: S608
_BUDGET = """
    update promptads.campaigns set budget = 30 + floor(random() * 20)
    where id = (select id from promptads.campaigns order by random() limit 1)
"""

ADVERTISING = Work("promptads", (_MEASURE, _MEASURE, _CORRECT, _MEASURE, _MEASURE, _CORRECT, _MEASURE, _DELETE))
# with rows that break a rule, until a correction or a delete meets them, and with other budgets
CARELESS = Work("promptads", (*ADVERTISING.kinds, _MEASURE, _BREAK, _CORRECT, _MEASURE, _BUDGET))


def start_campaigns(stack: Settings) -> None:
    """A few campaigns with a small budget."""
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as core:
        owner = core.execute(_OWNER).fetchone()
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute(_CAMPAIGN, [*(owner or ()), CAMPAIGNS])

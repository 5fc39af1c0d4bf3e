"""PromptAds at work: measurements of campaigns and ads, corrections and deletes, in transactions of its own."""

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
# an audience too large to be stored in its row, with a key that no contract names
_GROUP = """
    insert into promptads.ad_groups (campaign_id, name, target_audience)
    select id, name, jsonb_build_object('age_min', 18, 'remarks', 'call Jane', 'interests', (
        select jsonb_agg(md5(random()::text)) from generate_series(1, 100)
    )) from promptads.campaigns
"""
_AD = """
    insert into promptads.ads (ad_group_id, content_id, type, status)
    select id, 'c' || n, 'image', 'active' from promptads.ad_groups cross join generate_series(1, 2) n
"""
_MEASURE = """
    insert into promptads.campaign_metrics (campaign_id, timestamp, impressions, clicks, spend, conversions)
    select id, (now() at time zone 'UTC') - make_interval(secs => random() * 300), 90, 9, 0.25, 1
    from promptads.campaigns order by random() limit 5
"""
_MEASURE_ADS = _MEASURE.replace("campaign_metrics (campaign_id", "ad_metrics (ad_id").replace(
    "campaigns order", "ads order"
)
# start at a random id, so that a statement is as cheap after a night as in the first minute
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
# delete the oldest one, or the table would grow without limit
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

_SOME_OF_ADS = _SOME.replace("campaign_metrics", "ad_metrics")
_CORRECT_ADS = f"""
    update promptads.ad_metrics
    set spend = spend + 0.5, clicks = clicks + 1, timestamp = timestamp - interval '2 minutes',
        ad_id = (select id from promptads.ads order by random() limit 1)
    where id in ({_SOME_OF_ADS} limit 2)
"""  # noqa: S608
_DELETE_OF_ADS = _DELETE.replace("campaign_metrics", "ad_metrics")
_BREAK_ADS = f"update promptads.ad_metrics set spend = -1 where id in ({_SOME_OF_ADS} limit 1)"  # noqa: S608
# the update does not change the audience: Debezium does not send such a large value again
_RENAME = """
    update promptads.ad_groups set name = 'g' || floor(random() * 1000)
    where id = (select id from promptads.ad_groups order by random() limit 1)
"""
_AIM = """
    update promptads.ad_groups
    set target_audience = jsonb_set(target_audience, '{age_min}', to_jsonb(floor(18 + random() * 50)::int))
    where id = (select id from promptads.ad_groups order by random() limit 1)
"""
_SWITCH = """
    update promptads.ads
    set status = case status when 'active' then 'paused' else 'active' end,
        ad_group_id = (select id from promptads.ad_groups order by random() limit 1)
    where id = (select id from promptads.ads order by random() limit 1)
"""
_CAMPAIGNS_KINDS = (_MEASURE, _MEASURE, _CORRECT, _MEASURE, _MEASURE, _CORRECT, _MEASURE, _DELETE)
_ADS_KINDS = (_MEASURE_ADS, _RENAME, _CORRECT_ADS, _AIM, _MEASURE_ADS, _SWITCH, _CORRECT_ADS, _DELETE_OF_ADS)

# both in each transaction, so that the number of campaigns with spend stays the same
ADVERTISING = Work("promptads", tuple(map("; ".join, zip(_CAMPAIGNS_KINDS, _ADS_KINDS, strict=True))))
# with rows that break a rule until a correction or a delete reaches them, and with other budgets
CARELESS = Work("promptads", (*ADVERTISING.kinds, _MEASURE, f"{_BREAK}; {_BREAK_ADS}", _CORRECT, _MEASURE, _BUDGET))


def start_campaigns(stack: Settings) -> None:
    """Add a few campaigns with a small budget, each with a group of two ads."""
    with psycopg.connect(stack.address("promptsales"), autocommit=True) as core:
        owner = core.execute(_OWNER).fetchone()
    with psycopg.connect(stack.address("promptads"), autocommit=True) as ads:
        ads.execute(_CAMPAIGN, [*(owner or ()), CAMPAIGNS])
        for statement in (_GROUP, _AD):
            ads.execute(statement)

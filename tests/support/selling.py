"""PromptCrm at work: leads are added, qualified and deleted, deals are created and move from stage to stage."""

import psycopg

from promptsales.settings import Settings
from tests.support.working import Work

_STAGES = """
    insert into crm.pipeline_stages (pipeline_code, name, position, default_probability, is_closed, is_won)
    values ('streamed', 'open', 1, 0.2, false, false), ('streamed', 'offer', 2, 0.5, false, false),
           ('streamed', 'won', 3, 1, true, true)
    on conflict (pipeline_code, name) do nothing
"""
_LEADS = """
    insert into crm.leads (owner_user_id, lead_source, campaign_id)
    select gen_random_uuid(), 'webinar', gen_random_uuid() from generate_series(1, 3)
"""
_QUALIFY = """
    update crm.leads set status = 'qualified', qualified_at = clock_timestamp()
    where id in (select id from crm.leads where status = 'new' limit 2)
"""
_FORGET = "delete from crm.leads where id in (select id from crm.leads where status = 'qualified' limit 1)"
_DEAL = """
    insert into crm.opportunities (owner_user_id, name, stage_id, amount)
    select gen_random_uuid(), 'd', id, 100.5 from crm.pipeline_stages
    where pipeline_code = 'streamed' order by position limit 1
"""
_MOVE = """
    update crm.opportunities o set amount = amount + 1, stage_id = s.id
    from (select id from crm.pipeline_stages where pipeline_code = 'streamed' order by random() limit 1) s
    where o.id in (select id from crm.opportunities where id >= gen_random_uuid() order by id limit 2)
"""

SELLING = Work("promptcrm", (_LEADS, _DEAL, _QUALIFY, _MOVE, _FORGET, _MOVE, _LEADS, _FORGET, _MOVE, _FORGET))


def start_selling(stack: Settings) -> None:
    """Add the stages of deals."""
    with psycopg.connect(stack.address("promptcrm"), autocommit=True) as crm:
        crm.execute(_STAGES)

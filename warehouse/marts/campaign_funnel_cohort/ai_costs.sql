-- what prompts of each month cost for the assets that a campaign's ads show or showed; linked from either side, each prompt
-- once an asset; an asset of several campaigns counts to each in equal parts
with prompt as materialized (
    select p.prompt_id, p.asset_id, p.cost_amount, date_trunc('month', p.prompted_at at time zone {zone})::date as month_start_date
    from core.prompts p, unnest({starts}, {ends}) as built(starts, ends)
    where p.deleted_at is null and p.cost_amount is not null
      and p.prompted_at >= built.starts::timestamp at time zone {zone} and p.prompted_at < built.ends::timestamp at time zone {zone}
), linked as (
    select prompt_id, asset_id, cost_amount, month_start_date from prompt where asset_id is not null
    union
    select p.prompt_id, a.asset_id, p.cost_amount, p.month_start_date
    from prompt p join core.content_assets a on a.prompt_history_id = p.prompt_id
), shown as (
    select distinct h.content_id as asset_id, g.campaign_id
    from core.ads_history h join core.ad_groups g using (ad_group_id) where g.campaign_id is not null
), part as (
    select asset_id, campaign_id, count(*) over (partition by asset_id) as campaigns from shown
)
select p.campaign_id, l.month_start_date, sum(l.cost_amount / p.campaigns)::numeric(34,12) as ai_cost
from linked l join part p using (asset_id) group by 1, 2

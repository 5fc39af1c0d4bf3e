-- from the two marts that it is built from, which have their own expected statements, and the cost of prompts
with shown as (
    select distinct h.content_id, g.campaign_id from core.ads_history h join core.ad_groups g on g.ad_group_id = h.ad_group_id
), ai as (
    select campaign_id, month, sum(cost)::numeric(38,12) as ai_cost
    from (
        select distinct p.prompt_id, s.content_id, s.campaign_id, date_trunc('month', p.prompted_at at time zone 'UTC')::date as month,
               p.cost_amount / (select count(*) from shown o where o.content_id = s.content_id) as cost
        from core.prompts p left join core.content_assets a on a.prompt_history_id = p.prompt_id
        join shown s on s.content_id in (p.asset_id, a.asset_id) where p.deleted_at is null and p.cost_amount is not null
    ) x group by 1, 2
), lead as (
    select coalesce(l.campaign_id, '00000000-0000-0000-0000-000000000000') as campaign_id, date_trunc('month', l.date_day)::date as month,
           count(*) as leads, sum(l.is_qualified::int) as qualified, sum(l.is_converted::int) as converted, sum(l.is_won::int) as won,
           sum(l.is_new_customer::int) as customers, sum(case when l.currency_code = c.currency_code then l.won_amount end) as won_amount
    from marts.lead_attribution l left join core.campaigns c using (campaign_id) group by 1, 2
), delivery as (
    select campaign_id, date_trunc('month', date_day)::date as month, sum(impressions) as impressions, sum(clicks) as clicks, sum(spend) as spend
    from marts.campaign_performance_daily group by 1, 2
), cell as (
    select campaign_id, month, coalesce(impressions, 0) as impressions, coalesce(clicks, 0) as clicks, coalesce(leads, 0) as leads,
           coalesce(qualified, 0) as qualified, coalesce(converted, 0) as converted, coalesce(won, 0) as won,
           coalesce(customers, 0) as customers, coalesce(won_amount, 0) as won_amount, coalesce(spend, 0) as spend, coalesce(ai_cost, 0) as ai_cost
    from lead full join delivery using (campaign_id, month) full join ai using (campaign_id, month)
)
select campaign_id, month, coalesce(c.currency_code, 'XXX'),
       case when campaign_id = '00000000-0000-0000-0000-000000000000' then 'Unattributed' else coalesce((
           select h.name from core.campaigns_history h where h.campaign_id = cell.campaign_id
             and h.valid_from < (month + interval '1 month') at time zone 'UTC' and h.valid_to >= (month + interval '1 month') at time zone 'UTC'
       ), 'Unknown') end,
       impressions, clicks, leads, qualified, converted, won, customers, won_amount, spend,
       round(qualified::numeric / nullif(leads, 0), 6), round(converted::numeric / nullif(qualified, 0), 6),
       round(won::numeric / nullif(converted, 0), 6), round(spend / nullif(leads, 0), 6), round(spend / nullif(customers, 0), 6),
       round(won_amount / nullif(spend, 0), 6), least(greatest(%(as_of_day)s::date - month, 0), 365),
       case when c.currency_code = 'USD' then ai_cost end,
       case when c.currency_code = 'USD' then round((spend + ai_cost) / nullif(customers, 0), 6) end
from cell left join core.campaigns c using (campaign_id)

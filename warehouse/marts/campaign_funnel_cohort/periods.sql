select day from ops.touched
where core_table in ('marts.lead_attribution', 'marts.campaign_performance_daily') and touched_at >= %(since)s
union
-- the age of cohorts younger than a year grows every day
select generate_series(%(as_of_day)s::date - interval '13 months', %(as_of_day)s::date, interval '1 month')::date
where %(as_of_day)s::date > %(was_day)s::date
union
-- months that show another name than the one at their end: the current month after a rename (today counts as its end), and
-- months built before a rename arrived. A rename changes no other month
select m.month_start_date
from core.campaigns c join marts.campaign_funnel_cohort m using (campaign_id)
cross join lateral (select (m.month_start_date + interval '1 month') at time zone %(zone)s as ends_at) month
left join lateral (
    select v.* from core.campaigns_history v
    where v.campaign_id = c.campaign_id and v.valid_from < month.ends_at
    order by v.valid_from desc limit 1
) h on h.valid_to >= month.ends_at
where c._loaded_at >= %(since)s
  and (m.currency_code <> coalesce(c.currency_code, 'XXX') or m.campaign_name is distinct from coalesce(h.name, 'Unknown'))
union
-- prompts that changed, and prompts of assets that changed or that changed ads show
select day from ops.touched where core_table = 'prompts' and touched_at >= %(since)s
union
select (p.prompted_at at time zone %(zone)s)::date
from (
    with changed as (
        select entity_id as asset_id from ops.touched where core_table = 'content_assets' and touched_at >= %(since)s
        union
        select h.content_id
        from core.ads_history h join core.ads a using (ad_id) left join core.ad_groups g on g.ad_group_id = h.ad_group_id
        where a._loaded_at >= %(since)s or g._loaded_at >= %(since)s
    )
    select prompted_at from core.prompts where asset_id in (select asset_id from changed)
    union all
    select prompted_at from core.prompts where prompt_id in (
        select prompt_history_id from core.content_assets where asset_id in (select asset_id from changed)
        union
        select prompt_history_id from core.content_assets_history where asset_id in (select asset_id from changed)
    )
) p

-- one alert for each level that spend and budget have crossed upwards since they were last compared
with compared as (
    select t.campaign_id, t.spend, c.budget, c.currency_code, t.budget_level_pct as level_before,
           coalesce((
               select max(level) from unnest(realtime.budget_levels()) as level
               where c.budget > 0 and t.spend * 100 >= c.budget * level
           ), 0) as level_now
    from realtime.campaign_total t
    join core.campaigns c on c.campaign_id = t.campaign_id
    where t.campaign_id = any(%(campaigns)s) and not c.is_deleted
), noted as (
    update realtime.campaign_total t set budget_level_pct = n.level_now
    from compared n
    where t.campaign_id = n.campaign_id and n.level_now <> n.level_before
)
insert into realtime.budget_alert (campaign_id, level_pct, spend, budget, currency_code)
select campaign_id, level, spend, budget, currency_code
from compared cross join unnest(realtime.budget_levels()) as level
where level > level_before and level <= level_now
order by campaign_id, level

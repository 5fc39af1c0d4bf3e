select day from ops.touched where core_table = 'ad_metrics' and touched_at >= %(since)s
union
select generate_series(%(was_day)s::date - %(provisional_days)s + 1, %(as_of_day)s::date, interval '1 day')::date
where %(as_of_day)s::date > %(was_day)s::date
union
-- assets that became known or changed
select m.date_day
from marts.creative_performance_daily m
where m.asset_id in (select entity_id from ops.touched where core_table = 'content_assets' and touched_at >= %(since)s)
union
-- ads, groups and campaigns that became known or got another currency
select x.day
from (
    select distinct (x.metric_at at time zone %(zone)s)::date as day, a.content_id, coalesce(c.currency_code, 'XXX') as currency_code
    from core.ads a
    left join core.ad_groups g using (ad_group_id)
    left join core.campaigns c using (campaign_id)
    join core.ad_metrics x using (ad_id)
    where a._loaded_at >= %(since)s or g._loaded_at >= %(since)s or c._loaded_at >= %(since)s
) x
where x.day in (select date_day from marts.creative_performance_daily where asset_id = 'Unknown')
   or exists (
      select from marts.creative_performance_daily m
      where m.date_day = x.day and m.asset_id = x.content_id and m.currency_code <> x.currency_code
   )
union
-- what campaigns brought, to be shared where no ad has data
select day from ops.touched where core_table = 'marts.campaign_performance_daily' and touched_at >= %(since)s
union
-- ads that are new or changed: who shares since then
select p.date_day
from (
    select g.campaign_id, min(least(was.changed_at, a.deleted_at)) as changed_at
    from core.ads a
    join (
        select ad_id, max(valid_from) filter (where valid_from > '-infinity') as last_at from core.ads_history group by ad_id
    ) h using (ad_id)
    cross join lateral (select coalesce(h.last_at, a.created_at, '-infinity') as changed_at) was
    join (select distinct ad_id, ad_group_id as group_id from core.ads_history) of_ad using (ad_id)
    join core.ad_groups g on g.ad_group_id = of_ad.group_id
    where a._loaded_at >= %(since)s or g._loaded_at >= %(since)s
    group by g.campaign_id
) changed
join marts.campaign_performance_daily p using (campaign_id)
where p.has_data and p.date_day >= (changed.changed_at at time zone %(zone)s)::date

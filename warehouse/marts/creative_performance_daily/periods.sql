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
-- ads, groups and campaigns that became known or got another currency; an ad may have shown other assets then
select x.day
from (
    select distinct (m.metric_at at time zone %(zone)s)::date as day, h.content_id,
                    coalesce(c.currency_code, 'XXX') as currency_code
    from core.ads a
    join (select distinct ad_id, ad_group_id, content_id from core.ads_history) h using (ad_id)
    left join core.ad_groups g on g.ad_group_id = h.ad_group_id
    left join core.campaigns c using (campaign_id)
    join core.ad_metrics m using (ad_id)
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
-- groups that are new or changed: days of the campaign they belong to, and days that show what their ads do, wherever they were
select p.date_day
from marts.campaign_performance_daily p
where p.has_data and p.campaign_id in (select campaign_id from core.ad_groups where _loaded_at >= %(since)s)
union
select m.date_day
from marts.creative_performance_daily m
where m.asset_id in (
    select coalesce(h.content_id, 'Unknown') from core.ad_groups g join core.ads_history h using (ad_group_id)
    where g._loaded_at >= %(since)s
)
union
-- ads that are new or changed: who shares, and what was shown, since their first version that no build has seen;
-- what is not explained by a version, such as a delete, counts on every day
select d.date_day
from (
    with changed as (
        select a.ad_id, case when a.is_deleted then '-infinity' else (
            least(coalesce(case when h.recorded_at >= %(since)s then a.created_at else h.changed_at end, '-infinity'),
                  a.deleted_at) at time zone %(zone)s)::date end as first_day
        from core.ads a
        left join (
            select ad_id, min(_loaded_at) as recorded_at,
                   min(valid_from) filter (where _loaded_at >= %(since)s) as changed_at
            from core.ads_history group by ad_id
        ) h using (ad_id)
        where a._loaded_at >= %(since)s
    ), shared as (
        select g.campaign_id, min(c.first_day) as first_day
        from changed c join (select distinct ad_id, ad_group_id from core.ads_history) h using (ad_id)
        join core.ad_groups g using (ad_group_id)
        group by g.campaign_id
    )
    select p.date_day
    from shared join marts.campaign_performance_daily p using (campaign_id)
    where p.has_data and p.date_day >= shared.first_day
    union all
    select (m.metric_at at time zone %(zone)s)::date
    from changed join core.ad_metrics m using (ad_id)
    where (m.metric_at at time zone %(zone)s)::date >= changed.first_day
) d

select day from ops.touched where core_table = 'ad_metrics' and touched_at >= %(since)s
union
select generate_series(%(was_day)s::date - %(provisional_days)s + 1, %(as_of_day)s::date, interval '1 day')::date
where %(as_of_day)s::date > %(was_day)s::date
union
-- assets that became known or changed
select m.date_day
from ops.touched t join marts.creative_performance_daily m on m.asset_id = t.entity_id
where t.core_table = 'content_assets' and t.touched_at >= %(since)s
union
-- ads, groups and campaigns that became known or got another currency; an ad may have shown other assets then
select (x.metric_at at time zone %(zone)s)::date
from core.ads a
cross join lateral (
    select array_agg(h.ad_group_id) as groups, array_agg(h.content_id) as contents from core.ads_history h where h.ad_id = a.ad_id
) was
left join core.ad_groups g on g.ad_group_id = any(was.groups)
left join core.campaigns c using (campaign_id)
join core.ad_metrics x using (ad_id)
where (a._loaded_at >= %(since)s or g._loaded_at >= %(since)s or c._loaded_at >= %(since)s)
  and exists (
      select from marts.creative_performance_daily m
      where m.date_day = (x.metric_at at time zone %(zone)s)::date
        and (m.asset_id = 'Unknown' or m.asset_id = any(was.contents) and m.currency_code <> coalesce(c.currency_code, 'XXX'))
  )
union
-- what campaigns brought, to be shared where no ad has data
select day from ops.touched where core_table = 'marts.campaign_performance_daily' and touched_at >= %(since)s
union
-- groups that are new or changed: days of the campaign they belong to, and days that show what their ads do, wherever they were
select p.date_day
from core.ad_groups g join marts.campaign_performance_daily p using (campaign_id)
where g._loaded_at >= %(since)s and p.has_data
union
select m.date_day
from core.ad_groups g join core.ads_history h using (ad_group_id)
join marts.creative_performance_daily m on m.asset_id = coalesce(h.content_id, 'Unknown')
where g._loaded_at >= %(since)s
union
-- ads that are new or changed: who shares, and what was shown, since their first version that no build has seen;
-- what is not explained by a version, such as a delete, counts on every day
select d.date_day
from core.ads a
cross join lateral (
    select array_agg(h.ad_group_id) as groups,
           coalesce(case when min(h._loaded_at) >= %(since)s then a.created_at
                         else min(h.valid_from) filter (where h._loaded_at >= %(since)s) end, '-infinity') as changed_at
    from core.ads_history h where h.ad_id = a.ad_id
) was
cross join lateral (
    select p.date_day
    from core.ad_groups g join marts.campaign_performance_daily p using (campaign_id)
    where g.ad_group_id = any(was.groups) and p.has_data
    union all
    select (x.metric_at at time zone %(zone)s)::date from core.ad_metrics x where x.ad_id = a.ad_id
) d
where a._loaded_at >= %(since)s
  and (a.is_deleted or d.date_day >= (least(was.changed_at, a.deleted_at) at time zone %(zone)s)::date)

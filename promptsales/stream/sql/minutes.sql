-- minutes that are not as core says, of the days whose minutes are kept; one that core knows nothing of becomes zero
insert into realtime.campaign_minute as m (campaign_id, minute, impressions, clicks, spend, conversions, version)
select
    campaign_id, minute, coalesce(c.impressions, 0), coalesce(c.clicks, 0), coalesce(c.spend, 0),
    coalesce(c.conversions, 0), 1
from (
    select
        campaign_id, date_trunc('minute', metric_at, 'UTC') as minute, sum(impressions) as impressions,
        sum(clicks) as clicks, sum(spend) as spend, sum(conversions) as conversions
    from core.campaign_metrics
    where not is_deleted and metric_at >= clock_timestamp() - make_interval(days => %(minutes_days)s)
      and campaign_id is not null
    group by 1, 2
) c
full join (
    select campaign_id, minute, impressions, clicks, spend, conversions from realtime.campaign_minute
    where minute >= clock_timestamp() - make_interval(days => %(minutes_days)s)
) k using (campaign_id, minute)
-- the oldest minute may be cut by the limit
where minute >= clock_timestamp() - make_interval(days => %(minutes_days)s)
  and (coalesce(c.impressions, 0), coalesce(c.clicks, 0), coalesce(c.spend, 0), coalesce(c.conversions, 0))
    <> (coalesce(k.impressions, 0), coalesce(k.clicks, 0), coalesce(k.spend, 0), coalesce(k.conversions, 0))
order by campaign_id, minute
on conflict (campaign_id, minute) do update
set impressions = excluded.impressions, clicks = excluded.clicks, spend = excluded.spend,
    conversions = excluded.conversions, version = m.version + 1, updated_at = clock_timestamp()

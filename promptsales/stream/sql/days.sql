-- days that are not as core says, as far back as is asked for
insert into realtime.campaign_day as d (campaign_id, date_day, impressions, clicks, spend, conversions, version)
select
    campaign_id, date_day, coalesce(c.impressions, 0), coalesce(c.clicks, 0), coalesce(c.spend, 0),
    coalesce(c.conversions, 0), 1
from (
    select
        campaign_id, (metric_at at time zone 'UTC')::date as date_day, sum(impressions) as impressions,
        sum(clicks) as clicks, sum(spend) as spend, sum(conversions) as conversions
    from core.campaign_metrics
    where not is_deleted and campaign_id is not null
      and metric_at >= ((clock_timestamp() at time zone 'UTC')::date - %(days)s)::timestamp at time zone 'UTC'
    group by 1, 2
) c
full join (
    select campaign_id, date_day, impressions, clicks, spend, conversions from realtime.campaign_day
    where date_day >= (clock_timestamp() at time zone 'UTC')::date - %(days)s
) k using (campaign_id, date_day)
where (coalesce(c.impressions, 0), coalesce(c.clicks, 0), coalesce(c.spend, 0), coalesce(c.conversions, 0))
    <> (coalesce(k.impressions, 0), coalesce(k.clicks, 0), coalesce(k.spend, 0), coalesce(k.conversions, 0))
order by campaign_id, date_day
on conflict (campaign_id, date_day) do update
set impressions = excluded.impressions, clicks = excluded.clicks, spend = excluded.spend,
    conversions = excluded.conversions, version = d.version + 1, updated_at = clock_timestamp()

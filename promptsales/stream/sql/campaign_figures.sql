, moved as (
    -- what a changed measurement takes away from where it was, and brings to where it is
    select new_campaign_id as campaign_id, new_metric_at as metric_at, new_impressions as impressions,
           new_clicks as clicks, new_spend as spend, new_conversions as conversions
    from up where not new_is_deleted
    union all
    select old_campaign_id, old_metric_at, -old_impressions, -old_clicks, -old_spend, -old_conversions
    from up where not old_is_deleted
), delta as (
    select campaign_id, date_trunc('minute', metric_at, 'UTC') as minute, sum(impressions) as impressions,
           sum(clicks) as clicks, sum(spend) as spend, sum(conversions) as conversions
    from moved
    where campaign_id is not null and metric_at is not null
    group by 1, 2
    having sum(impressions) <> 0 or sum(clicks) <> 0 or sum(spend) <> 0 or sum(conversions) <> 0
), minutes as (
    -- minutes beyond the limit are left out whole: a late correction must not begin a part of one
    insert into realtime.campaign_minute as m (campaign_id, minute, impressions, clicks, spend, conversions, version)
    select campaign_id, minute, impressions, clicks, spend, conversions, 1 from delta
    where minute >= clock_timestamp() - make_interval(days => %(minutes_days)s)
    order by campaign_id, minute
    on conflict (campaign_id, minute) do update
    set impressions = m.impressions + excluded.impressions, clicks = m.clicks + excluded.clicks,
        spend = m.spend + excluded.spend, conversions = m.conversions + excluded.conversions,
        version = m.version + 1, updated_at = clock_timestamp()
    returning campaign_id, minute, impressions, clicks, spend, conversions, version
), days as (
    insert into realtime.campaign_day as d (campaign_id, date_day, impressions, clicks, spend, conversions, version)
    select campaign_id, (minute at time zone 'UTC')::date, sum(impressions), sum(clicks), sum(spend), sum(conversions), 1
    from delta
    group by 1, 2
    order by 1, 2
    on conflict (campaign_id, date_day) do update
    set impressions = d.impressions + excluded.impressions, clicks = d.clicks + excluded.clicks,
        spend = d.spend + excluded.spend, conversions = d.conversions + excluded.conversions,
        version = d.version + 1, updated_at = clock_timestamp()
    returning campaign_id, date_day, impressions, clicks, spend, conversions, version
)
select 'minute' as kind, campaign_id, minute as starts_at, impressions, clicks, spend, conversions, version from minutes
union all
select 'day', campaign_id, date_day::timestamp at time zone 'UTC', impressions, clicks, spend, conversions, version
from days
union all
select 'moved', campaign_id, null, sum(impressions)::bigint, sum(clicks)::bigint, sum(spend), sum(conversions)::bigint, null
from delta group by campaign_id

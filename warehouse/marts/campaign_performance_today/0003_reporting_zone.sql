-- by the days of the zone that the mart was built in; before its first build, of the zone that the settings name
create or replace view marts.campaign_performance_today as
with closed as (
    select coalesce(max(m.as_of_day), '-infinity'::date) as day, coalesce(max(m.zone), max(r.zone)) as zone
    from ops.reporting r left join ops.mart m on m.mart = 'campaign_performance_daily'
), minutes as (
    select m.campaign_id, (m.minute at time zone closed.zone)::date as date_day, sum(m.impressions)::bigint as impressions,
           sum(m.clicks)::bigint as clicks, sum(m.spend)::numeric(27,4) as spend, sum(m.conversions)::bigint as conversions
    from realtime.campaign_minute m, closed
    -- of a day that begins twice, as clocks go back over midnight, both parts: so the index finds a day more
    where m.minute >= closed.day::timestamp at time zone closed.zone and (m.minute at time zone closed.zone)::date > closed.day
    group by 1, 2
), days as (
    select campaign_id, date_day, currency_code, campaign_name, impressions, clicks, spend, conversions, true as is_closed
    from marts.campaign_performance_daily
    union all
    select m.campaign_id, m.date_day, coalesce(c.currency_code, 'XXX'), coalesce(c.name, 'Unknown'),
           m.impressions, m.clicks, m.spend, m.conversions, false
    from minutes m left join core.campaigns c using (campaign_id)
)
select
    campaign_id, date_day, currency_code::char(3) as currency_code, campaign_name::varchar(255) as campaign_name,
    impressions, clicks, spend::numeric(27,4) as spend, conversions,
    (clicks::numeric / nullif(impressions, 0))::numeric(38,6) as ctr,
    (spend / nullif(clicks, 0))::numeric(38,6) as cpc,
    (1000 * spend / nullif(impressions, 0))::numeric(38,6) as cpm,
    (conversions::numeric / nullif(clicks, 0))::numeric(38,6) as cvr,
    (spend / nullif(conversions, 0))::numeric(38,6) as cpa,
    is_closed
from days;

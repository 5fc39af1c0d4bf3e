-- closed days from the mart, what came after them from the minutes; where the mart ends the minutes begin
drop view if exists marts.campaign_performance_today;
create view marts.campaign_performance_today as
with closed as (
    select coalesce(max(as_of_day), '-infinity'::date) as day from ops.mart where mart = 'campaign_performance_daily'
), minutes as (
    select m.campaign_id, (m.minute at time zone 'UTC')::date as date_day, sum(m.impressions)::bigint as impressions,
           sum(m.clicks)::bigint as clicks, sum(m.spend)::numeric(27,4) as spend, sum(m.conversions)::bigint as conversions
    from realtime.campaign_minute m, closed
    where m.minute >= (closed.day + 1)::timestamp at time zone 'UTC'
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

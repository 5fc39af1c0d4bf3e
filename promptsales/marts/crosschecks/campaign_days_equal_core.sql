-- each day of marts.campaign_performance_daily adds up to what core has, to the last decimal
with core_day as (
    select (metric_at at time zone current_setting('promptsales.zone'))::date as day, sum(spend) as spend,
           sum(impressions) as impressions, sum(clicks) as clicks, sum(conversions) as conversions
    from core.campaign_metrics where not is_deleted group by 1
), mart_day as (
    select date_day as day, sum(spend) as spend, sum(impressions) as impressions, sum(clicks) as clicks,
           sum(conversions) as conversions
    from marts.campaign_performance_daily where has_data group by 1
)
select day
from core_day c full join mart_day m using (day), ops.mart s
where s.mart = 'campaign_performance_daily' and day <= s.as_of_day
  and (c.spend, c.impressions, c.clicks, c.conversions) is distinct from (m.spend, m.impressions, m.clicks, m.conversions)
  and day not in (
      select distinct t.day + beside from ops.touched t cross join generate_series(-1, 1) beside
      where t.core_table = 'campaign_metrics'
        and t.touched_at >= (select touched_through from ops.mart where mart = 'campaign_performance_daily')
  )

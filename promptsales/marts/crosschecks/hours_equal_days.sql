-- the hours of a closed day add up to the day
select day
from (select date_day as day, sum(spend) as spend, sum(clicks) as clicks from marts.campaign_performance_hourly group by 1) h
full join (select date_day as day, sum(spend) as spend, sum(clicks) as clicks
           from marts.campaign_performance_daily where has_data group by 1) d using (day)
cross join ops.mart hourly cross join ops.mart daily
where hourly.mart = 'campaign_performance_hourly' and daily.mart = 'campaign_performance_daily'
  and day <= least(hourly.as_of_day, daily.as_of_day) and (h.spend, h.clicks) is distinct from (d.spend, d.clicks)
  and day not in (
      select distinct t.day + beside from ops.touched t cross join generate_series(-1, 1) beside
      where t.core_table = 'campaign_metrics'
        and t.touched_at >= (select min(touched_through) from ops.mart
                             where mart in ('campaign_performance_hourly', 'campaign_performance_daily'))
  )

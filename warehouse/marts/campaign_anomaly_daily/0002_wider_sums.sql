-- each figure of each day beside the same weekday of the twelve weeks before (domain.md section 2.5: robust z)
drop view if exists marts.campaign_anomaly_daily;
create view marts.campaign_anomaly_daily as
select p.campaign_id, p.date_day, p.currency_code, p.campaign_name, m.measure, m.value, b.points,
       b.median::numeric(38,6) as median, s.mad::numeric(38,6) as mad,
       -- the spread around the median tells what is usual; where there is none, half as much or more again is not
       b.points >= 6 and case when s.mad > 0 then abs(m.value - b.median) / (1.4826 * s.mad) > 3.5
                              else abs(m.value - b.median) > 0.5 * b.median end as is_anomaly
from marts.campaign_performance_daily p
cross join lateral (
    values ('spend', p.spend), ('impressions', p.impressions), ('clicks', p.clicks), ('conversions', p.conversions)
) m(measure, value)
cross join lateral (
    select count(*) as points, array_agg(v.value) as found, percentile_cont(0.5) within group (order by v.value) as median
    from marts.campaign_performance_daily w
    cross join lateral (
        select case m.measure when 'spend' then w.spend when 'impressions' then w.impressions when 'clicks' then w.clicks
                              else w.conversions end as value
    ) v
    where w.campaign_id = p.campaign_id and w.currency_code = p.currency_code
      and w.date_day = any (array(select p.date_day - 7 * week from generate_series(1, 12) week))
) b
cross join lateral (
    select percentile_cont(0.5) within group (order by abs(f.value - b.median)) as mad from unnest(b.found) f(value)
) s;

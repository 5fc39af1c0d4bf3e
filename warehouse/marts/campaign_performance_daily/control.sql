-- what the built days add up to, straight from what was measured
with built as (select %(ranges)s::datemultirange as days)
select sum(m.impressions) as impressions, sum(m.spend) as spend
from built cross join core.campaign_metrics m
cross join lateral (select (m.metric_at at time zone %(zone)s)::date as day) d
where not m.is_deleted and d.day <@ built.days and d.day <= %(as_of_day)s
  and m.metric_at >= lower(built.days) - 1 and m.metric_at < upper(built.days) + 1

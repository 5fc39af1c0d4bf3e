-- of campaigns that have as-of days among those that are built, everything they spent so far
select p.campaign_id, p.date_day, p.spend
from marts.campaign_performance_daily p
where p.has_data and p.campaign_id in (
    select c.campaign_id
    from core.campaigns c
    cross join lateral (
        select min(m.date_day) as first_day, max(m.date_day) as last_day
        from marts.campaign_performance_daily m where m.campaign_id = c.campaign_id and m.has_data
    ) measured
    cross join unnest({starts}, {ends}) as built(starts, ends)
    where greatest(coalesce((c.ends_at at time zone {zone})::date + 1, 'infinity'), measured.last_day) >= built.starts
      and least((c.created_at at time zone {zone})::date, (c.starts_at at time zone {zone})::date, measured.first_day) < built.ends
)

-- of campaigns that have as-of days among those that are built, everything they spent so far
select p.campaign_id, p.date_day, p.spend
from marts.campaign_performance_daily p
where p.has_data and p.campaign_id in (
    select c.campaign_id
    from core.campaigns c, unnest({starts}, {ends}) as built(starts, ends)
    where (c.ends_at is null or (c.ends_at at time zone {zone})::date + 1 >= built.starts)
      and least((c.created_at at time zone {zone})::date, (c.starts_at at time zone {zone})::date) < built.ends
)

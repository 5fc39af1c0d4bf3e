-- how many days campaigns are paced, and each amount spent times the days on which it is part of what was spent by then
with built as (select %(ranges)s::datemultirange as days),
spent as (select campaign_id, date_day, spend from marts.campaign_performance_daily where has_data),
paced as (
    select c.campaign_id,
           least((c.created_at at time zone %(zone)s)::date, (c.starts_at at time zone %(zone)s)::date, s.first_day)
               as first_day,
           least(greatest((c.ends_at at time zone %(zone)s)::date + 1, case when c.ends_at is null then %(as_of_day)s end,
                          s.last_day), %(as_of_day)s) as last_day
    from core.campaigns c
    left join (
        select campaign_id, min(date_day) as first_day, max(date_day) as last_day from spent group by 1
    ) s using (campaign_id)
    where not c.is_deleted and c.deleted_at is null
), counted as (
    select paced.*, (
        select coalesce(sum(upper(r) - lower(r)), 0)
        from unnest(built.days * datemultirange(daterange(first_day, last_day, '[]'))) r
    ) as days
    from paced cross join built where first_day <= last_day
)
select sum(days) as row_count, (
    select sum(s.spend * (upper(r) - lower(r)))
    from built cross join counted c join spent s using (campaign_id)
    cross join unnest(built.days * datemultirange(daterange(greatest(s.date_day, c.first_day), c.last_day, '[]'))) r
) as spend_to_date
from counted

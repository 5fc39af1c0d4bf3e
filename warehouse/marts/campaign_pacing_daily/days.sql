-- from the day a campaign was made, began or first had data, the earliest, until the day after its last or its last day with data
select c.campaign_id, c.currency_code, d.date_day
from core.campaigns c
cross join lateral (
    select min(p.date_day) as first_day, max(p.date_day) as last_day
    from marts.campaign_performance_daily p where p.campaign_id = c.campaign_id and p.has_data
) measured
join core.calendar d
  on d.date_day >= least((c.created_at at time zone {zone})::date, (c.starts_at at time zone {zone})::date, measured.first_day)
 and d.date_day <= greatest(coalesce((c.ends_at at time zone {zone})::date + 1, 'infinity'), measured.last_day)
where not c.is_deleted and c.deleted_at is null

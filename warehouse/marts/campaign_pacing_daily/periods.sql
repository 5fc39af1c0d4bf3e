-- spend of a day counts on every later day
select generate_series(
    (select greatest(min(day), %(first_day)s::date) from ops.touched
     where core_table = 'marts.campaign_performance_daily' and touched_at >= %(since)s having count(*) > 0),
    %(as_of_day)s::date, interval '1 day'
)::date as day
union
select generate_series(%(was_day)s::date - %(provisional_days)s + 1, %(as_of_day)s::date, interval '1 day')::date
where %(as_of_day)s::date > %(was_day)s::date
union
-- late data after the end of a flight: the days in between become as-of days
select d.date_day
from (
    select p.campaign_id, max(p.date_day) as last_day from marts.campaign_performance_daily p
    where p.has_data and p.date_day in (select day from ops.touched
                                        where core_table = 'marts.campaign_performance_daily' and touched_at >= %(since)s)
    group by p.campaign_id
) late
join core.campaigns c using (campaign_id)
join core.calendar d on d.date_day > (c.ends_at at time zone %(zone)s)::date + 1 and d.date_day < late.last_day
where c.deleted_at is null and not c.is_deleted
  and not exists (select from marts.campaign_pacing_daily m
                  where m.campaign_id = c.campaign_id and m.date_day = d.date_day and m.currency_code = c.currency_code)
union
-- days after the end of a flight and of its data: data was removed, or the flight became shorter
select m.date_day
from core.campaigns c join marts.campaign_pacing_daily m using (campaign_id)
left join (
    select campaign_id, max(date_day) as last_day from marts.campaign_performance_daily where has_data group by campaign_id
) p using (campaign_id)
where m.date_day > (c.ends_at at time zone %(zone)s)::date + 1 and m.date_day > coalesce(p.last_day, '-infinity')
union
-- a campaign that is new or has another flight; earlier days keep the version of that day
select d.date_day
from core.campaigns c
cross join lateral (
    select min(p.date_day) as first_day, max(p.date_day) as last_day
    from marts.campaign_performance_daily p where p.campaign_id = c.campaign_id and p.has_data
) measured
join core.calendar d
  on d.date_day >= least((c.created_at at time zone %(zone)s)::date, (c.starts_at at time zone %(zone)s)::date, measured.first_day)
 and d.date_day <= greatest(coalesce((c.ends_at at time zone %(zone)s)::date + 1, 'infinity'), measured.last_day)
 and d.date_day <= %(as_of_day)s::date
where c._loaded_at >= %(since)s and c.deleted_at is null and not c.is_deleted
  and not exists (select from marts.campaign_pacing_daily m
                  where m.campaign_id = c.campaign_id and m.date_day = d.date_day and m.currency_code = c.currency_code)
union
select m.date_day
from core.campaigns c
left join lateral (
    select min(p.date_day) as first_day from marts.campaign_performance_daily p
    where p.campaign_id = c.campaign_id and p.has_data
) measured on true
join marts.campaign_pacing_daily m using (campaign_id)
left join lateral (
    select v.* from core.campaigns_history v
    where v.campaign_id = c.campaign_id and v.valid_from < (m.date_day + 1)::timestamp at time zone %(zone)s
    order by v.valid_from desc limit 1
) h on h.valid_to >= (m.date_day + 1)::timestamp at time zone %(zone)s
where c._loaded_at >= %(since)s
  and (c.is_deleted or c.deleted_at is not null or m.currency_code <> coalesce(c.currency_code, 'XXX')
       or m.campaign_name is distinct from coalesce(h.name, 'Unknown') or m.budget is distinct from h.budget
       or m.starts_on is distinct from (h.starts_at at time zone %(zone)s)::date
       or m.ends_on is distinct from (h.ends_at at time zone %(zone)s)::date
       or m.date_day < least((c.created_at at time zone %(zone)s)::date, (c.starts_at at time zone %(zone)s)::date)
          and m.date_day < coalesce(measured.first_day, 'infinity'))

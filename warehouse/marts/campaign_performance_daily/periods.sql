-- days with metrics that changed
select day from ops.touched where core_table = 'campaign_metrics' and touched_at >= %(since)s
union
-- days that are complete now, and days that are no longer provisional
select generate_series(%(was_day)s::date - %(provisional_days)s + 1, %(as_of_day)s::date, interval '1 day')::date
where %(as_of_day)s::date > %(was_day)s::date
union
-- of campaigns that changed: days of the flight without a row, and days without data that are no longer in the flight
select d.date_day
from core.campaigns c join core.calendar d
  on d.date_day between (c.starts_at at time zone %(zone)s)::date
                    and least((c.ends_at at time zone %(zone)s)::date, %(as_of_day)s::date)
where c._loaded_at >= %(since)s and c.deleted_at is null and not c.is_deleted
  and not exists (select from marts.campaign_performance_daily m where m.campaign_id = c.campaign_id and m.date_day = d.date_day)
union
select m.date_day
from core.campaigns c join marts.campaign_performance_daily m using (campaign_id)
left join lateral (
    select v.* from core.campaigns_history v
    where v.campaign_id = c.campaign_id and v.valid_from < (m.date_day + 1)::timestamp at time zone %(zone)s
    order by v.valid_from desc limit 1
) h on h.valid_to >= (m.date_day + 1)::timestamp at time zone %(zone)s
where c._loaded_at >= %(since)s
  and (m.currency_code <> coalesce(c.currency_code, 'XXX') or m.user_id is distinct from c.user_id
       -- a rename that arrived late
       or m.campaign_name is distinct from coalesce(h.name, 'Unknown')
       or not m.has_data and (
           c.is_deleted or c.deleted_at is not null or c.starts_at is null
           or m.date_day < (c.starts_at at time zone %(zone)s)::date or m.date_day > (c.ends_at at time zone %(zone)s)::date
       ))

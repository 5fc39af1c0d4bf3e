-- from the day a campaign was made, or began if that is earlier, until the day after its last
select c.campaign_id, c.currency_code, d.date_day
from core.campaigns c join core.calendar d
  on d.date_day >= least((c.created_at at time zone {zone})::date, (c.starts_at at time zone {zone})::date)
 and (c.ends_at is null or d.date_day <= (c.ends_at at time zone {zone})::date + 1)
where not c.is_deleted and c.deleted_at is null

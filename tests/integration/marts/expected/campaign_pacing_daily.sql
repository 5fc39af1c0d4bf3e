with cell as (
    select c.campaign_id, c.currency_code, d.day::date as day
    from core.campaigns c,
         lateral (select min((m.metric_at at time zone 'UTC')::date) as first_fact, max((m.metric_at at time zone 'UTC')::date) as last_fact
                  from core.campaign_metrics m where not m.is_deleted and m.campaign_id = c.campaign_id
                    and (m.metric_at at time zone 'UTC')::date <= %(as_of_day)s) facts,
         generate_series(least((c.created_at at time zone 'UTC')::date, (c.starts_at at time zone 'UTC')::date, first_fact),
                         case when c.ends_at is null then %(as_of_day)s::date
                              else least(greatest((c.ends_at at time zone 'UTC')::date + 1, last_fact), %(as_of_day)s::date) end, '1 day') d(day)
    where not c.is_deleted and c.deleted_at is null
), planned as (
    select cell.*, h.name, h.budget, (h.starts_at at time zone 'UTC')::date as first_day, (h.ends_at at time zone 'UTC')::date as last_day,
           coalesce((select sum(m.spend) from core.campaign_metrics m where not m.is_deleted and m.campaign_id = cell.campaign_id
                     and m.metric_at < (cell.day + 1)::timestamp at time zone 'UTC'), 0) as spent
    from cell left join core.campaigns_history h
      on h.campaign_id = cell.campaign_id and h.valid_from < (day + 1)::timestamp at time zone 'UTC'
     and h.valid_to >= (day + 1)::timestamp at time zone 'UTC'
), timed as (
    select *, last_day - first_day + 1 as flight, least(greatest(day - first_day + 1, 0), last_day - first_day + 1) as elapsed
    from planned
), paced as (
    select *, case when flight is not null then elapsed end as gone,
           100 * spent * flight / nullif(budget * case when flight is not null then elapsed end, 0) as pct
    from timed
)
select campaign_id, day, coalesce(currency_code, 'XXX'), coalesce(name, 'Unknown'), budget, first_day, last_day, spent,
       case when gone > 0 and budget <> 0 then round(budget * gone / nullif(flight, 0), 6) end, round(pct, 6),
       round(spent * flight / nullif(gone, 0), 6), round((budget - spent) / nullif(flight - gone, 0), 6),
       case when coalesce(budget, 0) = 0 then 'no_budget' when spent > budget then 'overspent'
            when first_day is null or day < first_day then 'not_started' when day > last_day then 'ended' when last_day is null then 'no_end_date'
            when round(pct, 6) < 90 then 'under' when round(pct, 6) > 110 then 'over' else 'on_track' end,
       day > %(as_of_day)s::date - 3
from paced

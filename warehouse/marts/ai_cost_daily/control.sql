-- how many prompts the built days have, and what they cost
with built as (select %(ranges)s::datemultirange as days)
select count(*) as prompts, sum(p.cost_amount) as cost
from built cross join core.prompts p
cross join lateral (select (p.prompted_at at time zone %(zone)s)::date as day) d
where p.deleted_at is null and d.day <@ built.days and d.day <= %(as_of_day)s

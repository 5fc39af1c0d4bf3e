-- a subscription counts from its start on
select generate_series(greatest(min(day), %(first_day)s::date), %(as_of_day)s::date, interval '1 day')::date as day
from ops.touched where core_table = 'subscriptions' and touched_at >= %(since)s
having count(*) > 0
union
select generate_series(%(was_day)s::date, %(as_of_day)s::date, interval '1 day')::date
where %(as_of_day)s::date > %(was_day)s::date

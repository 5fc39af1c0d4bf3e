-- what changed about a deal may count on every day it was open
select generate_series(greatest(min(day), %(first_day)s::date), %(as_of_day)s::date, interval '1 day')::date as day
from ops.touched
where core_table in ('opportunities', 'opportunity_stage_history') and touched_at >= %(since)s
having count(*) > 0
union
select generate_series(%(was_day)s::date + 1, %(as_of_day)s::date, interval '1 day')::date
union
-- a stage that changed may be open now and have no day here yet
select generate_series((min(o.created_at) at time zone %(zone)s)::date, %(as_of_day)s::date, interval '1 day')::date
from core.opportunities o
where exists (select from core.pipeline_stages s where s._loaded_at >= %(since)s)

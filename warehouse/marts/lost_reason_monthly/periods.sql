select day from ops.touched where core_table = 'opportunities' and touched_at >= %(since)s
union
-- stages that became won or lost ones
select (o.closed_at at time zone %(zone)s)::date
from core.pipeline_stages s join core.opportunities o using (stage_id)
where s._loaded_at >= %(since)s and o.closed_at is not null

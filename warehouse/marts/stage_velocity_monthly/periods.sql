-- moves that came, changed or left
select day from ops.touched where core_table = 'opportunity_stage_history' and touched_at >= %(since)s
union
-- a move that came late ends one visit and begins another: every month in which the deal moved
select (m.changed_at at time zone %(zone)s)::date as day
from core.opportunity_stage_history m
where m.opportunity_id in (
    select entity_id::uuid from ops.touched
    where core_table in ('opportunity_stage_history', 'opportunities') and touched_at >= %(since)s
)
union
-- a stage that changed is one that deals left, or came to from others
select distinct (m.changed_at at time zone %(zone)s)::date
from core.opportunity_stage_history m
where exists (select from core.pipeline_stages s where s._loaded_at >= %(since)s)

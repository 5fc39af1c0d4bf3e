-- a move that came late ends one visit and begins another: every month in which the deal moved
select (m.changed_at at time zone %(zone)s)::date as day
from core.opportunity_stage_history m
where m.opportunity_id in (
    select entity_id::uuid from ops.touched
    where core_table in ('opportunity_stage_history', 'opportunities') and touched_at >= %(since)s
)
union
select m.month_start_date
from core.pipeline_stages s join marts.stage_velocity_monthly m using (stage_id)
where s._loaded_at >= %(since)s

-- the visits of open stages that ended in the months, and those that ended further on
with built as (select %(ranges)s::datemultirange as days),
visit as (
    select m.to_stage_id as stage_id, lead(m.changed_at) over turns as exited, lead(m.to_stage_id) over turns as next_id
    from core.opportunity_stage_history m join core.opportunities o using (opportunity_id)
    where not m.is_deleted and o.deleted_at is null and o.merged_into_id is null
    window turns as (partition by m.opportunity_id order by m.changed_at, m.change_id)
)
select count(*) as visits,
       count(*) filter (where n.is_won or (not n.is_closed and n.position > s.position)) as forward_visits
from built cross join visit v
left join core.pipeline_stages s on s.stage_id = v.stage_id
left join core.pipeline_stages n on n.stage_id = v.next_id
where (v.exited at time zone %(zone)s)::date <@ built.days and s.is_closed is not true

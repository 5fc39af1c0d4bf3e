with visit as (
    select m.to_stage_id as stage_id, m.changed_at as entered, n.changed_at as exited, n.to_stage_id as next_id
    from core.opportunity_stage_history m join core.opportunities o using (opportunity_id)
    cross join lateral (
        select * from core.opportunity_stage_history n
        where n.opportunity_id = m.opportunity_id and not n.is_deleted and (n.changed_at, n.change_id) > (m.changed_at, m.change_id)
        order by n.changed_at, n.change_id limit 1) n
    where not m.is_deleted and o.deleted_at is null and o.merged_into_id is null
)
select date_trunc('month', v.exited at time zone 'UTC')::date, v.stage_id, coalesce(s.pipeline_code, 'Unknown'), coalesce(s.name, 'Unknown'),
       s.position, count(*), count(*) filter (where n.is_won or not n.is_closed and n.position > s.position),
       round((percentile_cont(0.5) within group (order by extract(epoch from v.exited - v.entered)::float8 / 86400))::numeric, 2),
       round((percentile_cont(0.9) within group (order by extract(epoch from v.exited - v.entered)::float8 / 86400))::numeric, 2),
       round((count(*) filter (where n.is_won or not n.is_closed and n.position > s.position))::numeric / count(*), 6)
from visit v left join core.pipeline_stages s using (stage_id) left join core.pipeline_stages n on n.stage_id = v.next_id
where s.is_closed is not true
group by 1, 2, 3, 4, 5

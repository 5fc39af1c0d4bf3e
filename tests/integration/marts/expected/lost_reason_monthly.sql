select date_trunc('month', o.closed_at at time zone 'UTC')::date, coalesce(o.lost_reason, 'not given'), o.currency_code, count(*),
       coalesce(sum(o.amount), 0)
from core.opportunities o left join core.pipeline_stages s using (stage_id)
where o.deleted_at is null and o.merged_into_id is null and o.closed_at is not null and s.is_won is not true
group by 1, 2, 3

with deal as (
    select date_trunc('month', o.closed_at at time zone 'UTC')::date as month, o.owner_user_id, coalesce(s.pipeline_code, 'Unknown') as pipeline,
           o.currency_code, coalesce(s.is_won, false) as won, coalesce(o.amount, 0) as amount,
           (o.closed_at at time zone 'UTC')::date - (o.created_at at time zone 'UTC')::date as days
    from core.opportunities o left join core.pipeline_stages s using (stage_id)
    where o.deleted_at is null and o.merged_into_id is null and o.closed_at is not null
)
select month, owner_user_id, pipeline, currency_code, count(*) filter (where won), count(*) filter (where not won),
       coalesce(sum(amount) filter (where won), 0), coalesce(sum(amount) filter (where not won), 0),
       round(avg(won::int), 6), round(coalesce(sum(amount) filter (where won), 0) / nullif(sum(amount), 0), 6), round(avg(days), 6),
       round((percentile_cont(0.5) within group (order by days))::numeric, 2)
from deal group by 1, 2, 3, 4

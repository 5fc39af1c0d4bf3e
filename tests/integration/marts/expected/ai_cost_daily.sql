with prompt as (
    select p.*, (p.prompted_at at time zone 'UTC')::date as day,
           coalesce((select k.label from core.ai_model k where p.tool ~* k.match_pattern order by k.match_priority limit 1), 'Unknown') as label
    from core.prompts p where p.deleted_at is null
)
select day, label, user_id, 'USD', count(*), coalesce(sum(tokens_used), 0), coalesce(sum(cost_amount), 0),
       coalesce(sum(tokens_used) filter (where cost_amount is not null), 0), coalesce(sum(cost_amount) filter (where tokens_used is not null), 0),
       round(1000 * sum(cost_amount) filter (where tokens_used is not null) / nullif(sum(tokens_used) filter (where cost_amount is not null), 0), 12),
       round(1000000 * sum(cost_amount) filter (where tokens_used is not null) / nullif(sum(tokens_used) filter (where cost_amount is not null), 0), 10)
from prompt where day <= %(as_of_day)s::date group by 1, 2, 3

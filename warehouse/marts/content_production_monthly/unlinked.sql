-- what prompts cost that are linked to no asset of the mart, by the month and model of the prompt
with prompt as materialized (
    select p.prompt_id, p.asset_id, p.tool, p.cost_amount,
           date_trunc('month', p.prompted_at at time zone {zone})::date as month_start_date
    from core.prompts p, unnest({starts}, {ends}) as built(starts, ends)
    where p.deleted_at is null and p.cost_amount is not null
      and p.prompted_at >= built.starts::timestamp at time zone {zone} and p.prompted_at < built.ends::timestamp at time zone {zone}
), cost as (
    select p.month_start_date, p.tool, sum(p.cost_amount) as cost
    from prompt p
    where not exists (select from core.content_assets a where a.asset_id = p.asset_id and a.deleted_at is null)
      and not exists (select from core.content_assets a where a.prompt_history_id = p.prompt_id and a.deleted_at is null)
    group by 1, 2
), label as (
    select tool, (select k.label from core.ai_model k where tool ~* k.match_pattern order by k.match_priority limit 1) as label
    from (select distinct tool from cost) t
)
select month_start_date, label as model_label, sum(cost)::numeric(34,12) as unlinked_cost
from cost join label using (tool) group by 1, 2

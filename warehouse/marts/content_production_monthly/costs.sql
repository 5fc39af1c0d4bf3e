-- what the prompts of each asset cost; linked from either side, each prompt counted once
with asset as materialized (
    select a.asset_id, a.prompt_history_id from core.content_assets a, unnest({starts}, {ends}) as built(starts, ends)
    where a.created_at >= built.starts::timestamp at time zone {zone} and a.created_at < built.ends::timestamp at time zone {zone}
), linked as (
    select a.asset_id, p.prompt_id, p.cost_amount
    from asset a join core.prompts p on p.asset_id = a.asset_id where p.deleted_at is null
    union
    select a.asset_id, p.prompt_id, p.cost_amount
    from asset a join core.prompts p on p.prompt_id = a.prompt_history_id where p.deleted_at is null
)
select asset_id, sum(cost_amount)::numeric(34,12) as cost from linked group by asset_id

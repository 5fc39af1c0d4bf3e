with asset as (
    select a.*, date_trunc('month', a.created_at at time zone 'UTC')::date as month,
           coalesce((select k.label from core.ai_model k where a.model ~* k.match_pattern order by k.match_priority limit 1), 'Unknown') as label,
           (select sum(p.cost_amount) from core.prompts p
            where p.deleted_at is null and (p.asset_id = a.asset_id or p.prompt_id = a.prompt_history_id)) as cost,
           coalesce(a.approved_at, (select min(h.valid_from) from core.content_assets_history h
                                    where h.asset_id = a.asset_id and h.status = 'approved' and h.valid_from > '-infinity')) as approved_first,
           exists (select from core.content_assets_history h where h.asset_id = a.asset_id and h.status = 'approved') as was_approved,
           coalesce((select h.status from core.content_assets_history h where h.asset_id = a.asset_id order by h.valid_from limit 1), a.status) as first_status
    from core.content_assets a where a.deleted_at is null
), judged as (
    select *, approved_first is not null or was_approved as ok,
           approved_first is null and not was_approved and status = 'archived' as gone from asset
)
select month, label, type, 'USD', count(*), count(*) filter (where ok), count(*) filter (where gone and first_status <> 'archived'),
       count(*) filter (where gone and first_status = 'archived'), count(*) filter (where not ok and not gone),
       round((count(*) filter (where ok))::numeric / nullif(count(*) filter (where ok or gone and first_status <> 'archived'), 0), 6),
       count(cost), coalesce(sum(cost), 0), round(coalesce(sum(cost), 0) / nullif(count(cost), 0), 12),
       round(coalesce(sum(cost), 0) / nullif(count(*) filter (where ok), 0), 12),
       round((percentile_cont(0.5) within group (order by extract(epoch from approved_first - created_at)::float8 / 86400))::numeric, 2), 0
from judged group by 1, 2, 3
union all
select date_trunc('month', p.prompted_at at time zone 'UTC')::date,
       coalesce((select k.label from core.ai_model k where p.tool ~* k.match_pattern order by k.match_priority limit 1), 'Unknown'),
       'Unknown', 'USD', 0, 0, 0, 0, 0, null, 0, 0, null, null, null, sum(p.cost_amount)
from core.prompts p
where p.deleted_at is null and p.cost_amount is not null
  and not exists (select from core.content_assets a where a.deleted_at is null and (a.asset_id = p.asset_id or a.prompt_history_id = p.prompt_id))
group by 1, 2

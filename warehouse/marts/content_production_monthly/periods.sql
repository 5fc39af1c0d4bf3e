select day from ops.touched where core_table = 'content_assets' and touched_at >= %(since)s
union
-- assets of prompts that changed, linked from either side
select (a.created_at at time zone %(zone)s)::date
from (
    with days as (
        select entity_id as user_id, day from ops.touched where core_table = 'prompts' and touched_at >= %(since)s
    ), changed as (
        -- by the whole span, which an index finds, then by user and day
        select asset_id, prompt_id from core.prompts
        where prompted_at >= (select min(day) from days)::timestamp at time zone 'UTC'
          and prompted_at < (select max(day) + 1 from days)::timestamp at time zone 'UTC'
          and (user_id::text, (prompted_at at time zone 'UTC')::date) in (select user_id, day from days)
    )
    select created_at from core.content_assets where asset_id in (select asset_id from changed)
    union all
    select created_at from core.content_assets where prompt_history_id in (select prompt_id from changed)
) a
union
-- and the assets that such a prompt left
select (a.created_at at time zone %(zone)s)::date
from ops.touched t join core.content_assets a on a.asset_id = t.entity_id
where t.core_table = 'prompts' and t.touched_at >= %(since)s
union
-- prompts that changed, and prompts of assets that did: they may be linked now
select day from ops.touched where core_table = 'prompts' and touched_at >= %(since)s
union
select (p.prompted_at at time zone %(zone)s)::date
from core.prompts p
where p.asset_id in (select entity_id from ops.touched where core_table = 'content_assets' and touched_at >= %(since)s)
union
select (p.prompted_at at time zone %(zone)s)::date
from core.content_assets a join core.prompts p on p.prompt_id = a.prompt_history_id
where a.asset_id in (select entity_id from ops.touched where core_table = 'content_assets' and touched_at >= %(since)s)
union
-- and the prompt that an earlier version of the asset was linked to
select (p.prompted_at at time zone %(zone)s)::date
from core.content_assets_history a join core.prompts p on p.prompt_id = a.prompt_history_id
where a.asset_id in (select entity_id from ops.touched where core_table = 'content_assets' and touched_at >= %(since)s)

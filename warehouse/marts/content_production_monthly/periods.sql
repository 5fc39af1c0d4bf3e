select day from ops.touched where core_table = 'content_assets' and touched_at >= %(since)s
union
-- assets of prompts that changed, linked from either side
select (a.created_at at time zone %(zone)s)::date
from ops.touched t
join core.prompts p on p.user_id::text = t.entity_id
                   and p.prompted_at >= t.day::timestamp at time zone 'UTC'
                   and p.prompted_at < (t.day + 1)::timestamp at time zone 'UTC'
join core.content_assets a on a.asset_id = p.asset_id or a.prompt_history_id = p.prompt_id
where t.core_table = 'prompts' and t.touched_at >= %(since)s
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
from ops.touched t join core.prompts p on p.asset_id = t.entity_id
where t.core_table = 'content_assets' and t.touched_at >= %(since)s
union
select (p.prompted_at at time zone %(zone)s)::date
from ops.touched t join core.content_assets a on a.asset_id = t.entity_id join core.prompts p on p.prompt_id = a.prompt_history_id
where t.core_table = 'content_assets' and t.touched_at >= %(since)s
union
-- and the prompt that an earlier version of the asset was linked to
select (p.prompted_at at time zone %(zone)s)::date
from ops.touched t join core.content_assets_history a on a.asset_id = t.entity_id join core.prompts p on p.prompt_id = a.prompt_history_id
where t.core_table = 'content_assets' and t.touched_at >= %(since)s

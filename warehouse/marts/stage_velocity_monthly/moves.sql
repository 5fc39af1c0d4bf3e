select m.opportunity_id, m.change_id, m.to_stage_id, m.changed_at
from core.opportunity_stage_history m
join core.opportunities o on o.opportunity_id = m.opportunity_id and o.deleted_at is null and o.merged_into_id is null
where not m.is_deleted and m.opportunity_id in (
    select i.opportunity_id
    from core.opportunity_stage_history i, unnest({starts}, {ends}) as built(starts, ends)
    where i.changed_at >= built.starts::timestamp at time zone {zone} and i.changed_at < built.ends::timestamp at time zone {zone}
)

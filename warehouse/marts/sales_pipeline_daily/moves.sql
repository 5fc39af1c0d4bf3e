select m.opportunity_id, m.change_id, m.to_stage_id, m.changed_at
from core.opportunity_stage_history m join core.opportunities o using (opportunity_id)
where not m.is_deleted
  and exists (select from unnest({starts}, {ends}) as built(starts, ends)
              where o.created_at < built.ends::timestamp at time zone {zone}
                and (o.closed_at is null or o.closed_at >= built.starts::timestamp at time zone {zone}))

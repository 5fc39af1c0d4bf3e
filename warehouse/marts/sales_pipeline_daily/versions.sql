select v.opportunity_id, v.stage_id as version_stage_id, v.amount, v.owner_user_id, v.valid_from, v.valid_to
from core.opportunities_history v join core.opportunities o using (opportunity_id)
where exists (select from unnest({starts}, {ends}) as built(starts, ends)
              where o.created_at < built.ends::timestamp at time zone {zone}
                and (o.closed_at is null or o.closed_at >= built.starts::timestamp at time zone {zone}))

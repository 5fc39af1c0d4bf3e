select o.opportunity_id, o.created_at, o.closed_at, o.currency_code, o.probability
from core.opportunities o
where o.deleted_at is null and o.merged_into_id is null
  and exists (select from unnest({starts}, {ends}) as built(starts, ends)
              where o.created_at < built.ends::timestamp at time zone {zone}
                and (o.closed_at is null or o.closed_at >= built.starts::timestamp at time zone {zone}))

-- what was seen of the status of the assets made in these months: the first one, and when approved was first seen
-- (never known of the first version, which is valid since ever)
select h.asset_id,
       (array_agg(h.status order by h.valid_from))[1] as first_status,
       bool_or(h.status = 'approved') as was_approved,
       min(h.valid_from) filter (where h.status = 'approved' and h.valid_from > '-infinity') as seen_approved_at
from core.content_assets_history h
where h.asset_id in (
    select a.asset_id from core.content_assets a, unnest({starts}, {ends}) as built(starts, ends)
    where a.created_at >= built.starts::timestamp at time zone {zone} and a.created_at < built.ends::timestamp at time zone {zone}
)
group by h.asset_id

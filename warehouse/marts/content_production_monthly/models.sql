select m.model, (select k.label from core.ai_model k where m.model ~* k.match_pattern order by k.match_priority limit 1) as label
from (
    select distinct a.model from core.content_assets a, unnest({starts}, {ends}) as built(starts, ends)
    where a.created_at >= built.starts::timestamp at time zone {zone} and a.created_at < built.ends::timestamp at time zone {zone}
) m
where m.model is not null

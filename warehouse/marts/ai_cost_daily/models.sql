-- what the tools of these days are: one look a name, not a prompt
select t.tool, (select k.label from core.ai_model k where t.tool ~* k.match_pattern order by k.match_priority limit 1) as label
from (
    select distinct p.tool
    from core.prompts p, unnest({starts}, {ends}) as built(starts, ends)
    where p.prompted_at >= built.starts::timestamp at time zone {zone} and p.prompted_at < built.ends::timestamp at time zone {zone}
) t

-- the living leads of the days, and those of them that got further than being new
with built as (select %(ranges)s::datemultirange as days),
dealt as (
    select o.source_lead_id as lead_id from core.opportunities o where o.deleted_at is null and o.merged_into_id is null
    union
    select l.lead_id from core.leads l join core.opportunities o on o.opportunity_id = l.converted_opportunity_id
    where o.deleted_at is null and o.merged_into_id is null
)
select count(*) as row_count,
       count(*) filter (where coalesce(l.qualified_at, l.converted_at) is not null or d.lead_id is not null) as is_qualified
from built cross join core.leads l left join dealt d using (lead_id)
where l.deleted_at is null and l.merged_into_id is null and (l.created_at at time zone %(zone)s)::date <@ built.days

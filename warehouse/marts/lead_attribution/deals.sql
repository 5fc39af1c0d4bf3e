-- the deals of the leads that are built, and every won deal of the same accounts: one of those may be the first
with lead as materialized (
    select l.lead_id, l.converted_opportunity_id
    from core.leads l, unnest({starts}, {ends}) as built(starts, ends)
    where l.created_at >= built.starts::timestamp at time zone {zone} and l.created_at < built.ends::timestamp at time zone {zone}
), mine as materialized (
    select o.opportunity_id, o.account_id from core.opportunities o where o.source_lead_id in (select lead_id from lead)
    union
    select o.opportunity_id, o.account_id from core.opportunities o
    where o.opportunity_id in (select converted_opportunity_id from lead)
)
select o.opportunity_id, o.source_lead_id, o.account_id, o.created_at, o.closed_at, o.currency_code, o.amount,
       coalesce(s.is_won, false) as is_won
from core.opportunities o left join core.pipeline_stages s using (stage_id)
where o.deleted_at is null and o.merged_into_id is null
  and (o.opportunity_id in (select opportunity_id from mine)
       or s.is_won and o.account_id in (select account_id from mine))

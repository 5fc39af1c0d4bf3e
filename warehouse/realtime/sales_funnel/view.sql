-- the live funnel by campaign: leads and what became of them; merged and deleted rows count nowhere
create view realtime.sales_funnel as
with leads as (
    select
        campaign_id,
        count(*) as leads,
        count(*) filter (where qualified_at is not null or converted_at is not null) as qualified,
        count(*) filter (where converted_at is not null) as converted
    from realtime.lead
    where not is_deleted and deleted_at is null and merged_into_id is null
    group by campaign_id
), deals as (
    select
        coalesce(o.campaign_id, l.campaign_id) as campaign_id,
        count(*) filter (where o.closed_at is null) as open_deals,
        count(*) filter (where o.closed_at is not null) as closed_deals
    from realtime.opportunity o
    left join realtime.lead l on l.lead_id = o.source_lead_id
    where not o.is_deleted and o.deleted_at is null and o.merged_into_id is null
    group by 1
)
select
    campaign_id,
    sum(leads)::bigint as leads,
    sum(qualified)::bigint as qualified,
    sum(converted)::bigint as converted,
    sum(open_deals)::bigint as open_deals,
    sum(closed_deals)::bigint as closed_deals
from (
    select campaign_id, leads, qualified, converted, 0 as open_deals, 0 as closed_deals from leads
    union all
    select campaign_id, 0, 0, 0, open_deals, closed_deals from deals
) both_sides
group by campaign_id;

comment on view realtime.sales_funnel is 'The live funnel by campaign, as the CRM stands now; not to be summed with marts.';
comment on column realtime.sales_funnel.campaign_id is 'The campaign that is credited; null for what is credited to none.';
comment on column realtime.sales_funnel.leads is 'Leads.';
comment on column realtime.sales_funnel.qualified is 'Of them qualified, or converted at once.';
comment on column realtime.sales_funnel.converted is 'Of them converted.';
comment on column realtime.sales_funnel.open_deals is 'Deals that are open; credited to their own campaign, else to that of their lead.';
comment on column realtime.sales_funnel.closed_deals is 'Deals that were decided, won or lost.';

-- the tables have new names
create or replace view realtime.sales_funnel as
with leads as (
    select
        campaign_id,
        count(*) as leads,
        count(*) filter (where qualified_at is not null or converted_at is not null) as qualified,
        count(*) filter (where converted_at is not null) as converted
    from realtime.live_leads
    where not is_deleted and deleted_at is null and merged_into_id is null
    group by campaign_id
), deals as (
    select
        coalesce(l.campaign_id, o.campaign_id) as campaign_id,
        count(*) filter (where o.closed_at is null) as open_deals,
        count(*) filter (where o.closed_at is not null) as closed_deals
    from realtime.live_opportunities o
    left join realtime.live_leads l on l.lead_id = o.source_lead_id
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

drop view realtime.lead, realtime.opportunity;

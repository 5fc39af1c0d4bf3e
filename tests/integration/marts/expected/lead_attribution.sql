with deal as (
    select o.*, coalesce(s.is_won, false) as won,
           coalesce(s.is_won, false) and (o.account_id is null or not exists (
               select from core.opportunities e join core.pipeline_stages es using (stage_id)
               where es.is_won and e.deleted_at is null and e.merged_into_id is null and e.account_id = o.account_id
                 and (e.closed_at, e.opportunity_id) < (o.closed_at, o.opportunity_id))) as is_new
    from core.opportunities o left join core.pipeline_stages s using (stage_id)
    where o.deleted_at is null and o.merged_into_id is null
)
select l.lead_id, (l.created_at at time zone 'UTC')::date, l.owner_user_id, l.lead_source, x.credited,
       case when x.credited is not null then coalesce((
           select h.name from core.campaigns_history h
           where h.campaign_id = x.credited and h.valid_from <= l.created_at and l.created_at < h.valid_to), 'Unknown') end,
       l.ad_id,
       case when l.campaign_id is not null then 'campaign_id' when by_ad.campaign_id is not null then 'ad_id'
            when x.credited is not null then 'utm_campaign' else 'none' end,
       l.created_at, l.qualified_at is not null or l.converted_at is not null or d.opportunity_id is not null,
       l.converted_at is not null or d.opportunity_id is not null, coalesce(d.won, false), l.qualified_at, l.converted_at,
       d.opportunity_id, d.closed_at, coalesce(d.currency_code, 'XXX'), case when d.won then coalesce(d.amount, 0) else 0 end,
       coalesce(d.is_new, false)
from core.leads l
left join lateral (select g.campaign_id from core.ads a join core.ad_groups g using (ad_group_id) where a.ad_id = l.ad_id) by_ad on true
left join lateral (
    select coalesce(
        (select min(c.campaign_id::text)::uuid from core.campaigns_history c where c.campaign_id::text = lower(btrim(l.utm_campaign))),
        (select c.campaign_id from core.campaigns_history c
         where lower(btrim(c.name)) = lower(btrim(l.utm_campaign)) and c.user_id = l.owner_user_id
           and c.valid_from <= l.created_at and l.created_at < c.valid_to order by c.campaign_id limit 1)) as campaign_id
) by_utm on true
cross join lateral (select coalesce(l.campaign_id, by_ad.campaign_id, by_utm.campaign_id) as credited) x
left join lateral (
    select * from deal where deal.source_lead_id = l.lead_id or deal.opportunity_id = l.converted_opportunity_id
    order by deal.won desc, deal.created_at, deal.opportunity_id limit 1
) d on true
where l.deleted_at is null and l.merged_into_id is null

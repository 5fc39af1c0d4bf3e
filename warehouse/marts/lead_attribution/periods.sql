with deal as (
    -- deals that changed, and deals in stages that changed: they may be won now, or no longer
    select o.opportunity_id, o.account_id
    from ops.touched t join core.opportunities o on o.opportunity_id = t.entity_id::uuid
    where t.core_table = 'opportunities' and t.touched_at >= %(since)s
    union
    select o.opportunity_id, o.account_id from core.pipeline_stages s join core.opportunities o using (stage_id)
    where s._loaded_at >= %(since)s
), account as (
    -- the accounts of those deals, now and before
    select account_id from deal where account_id is not null
    union
    select entity_id::uuid from ops.touched where core_table = 'opportunities' and touched_at >= %(since)s
), campaign as (
    select campaign_id from core.campaigns where _loaded_at >= %(since)s
)
select day from ops.touched where core_table = 'leads' and touched_at >= %(since)s
union
-- leads whose deal changed, or another deal of the same account
select (l.created_at at time zone %(zone)s)::date
from (
    with affected as (
        select opportunity_id from deal
        union
        select o.opportunity_id from account join core.opportunities o using (account_id)
    )
    select l.created_at from affected join core.opportunities o using (opportunity_id)
    join core.leads l on l.lead_id = o.source_lead_id
    union all
    select l.created_at from affected join core.leads l on l.converted_opportunity_id = affected.opportunity_id
) l
union
-- leads whose row shows a deal that belongs to another lead now
select m.date_day from deal join marts.lead_attribution m using (opportunity_id)
union
-- leads whose utm_campaign is the id of a changed campaign or a name it ever had: they may be credited to it now
select (l.created_at at time zone %(zone)s)::date
from core.leads l
where l.campaign_id is null and l.utm_campaign is not null and lower(btrim(l.utm_campaign, ' ')) in (
    select utm from campaign join core.campaigns_history h using (campaign_id)
    cross join lateral (values (h.campaign_id::text), (lower(btrim(h.name, ' ')))) named(utm)
)
union
-- leads credited to a changed campaign by utm_campaign, because a rename that arrived late may credit them elsewhere; and
-- leads whose row shows a name other than the one at their creation. A later rename changes neither
select m.date_day
from campaign join marts.lead_attribution m using (campaign_id)
left join lateral (
    select v.* from core.campaigns_history v
    where v.campaign_id = m.campaign_id and v.valid_from <= m.created_at
    order by v.valid_from desc limit 1
) h on h.valid_to > m.created_at
where m.attribution_method = 'utm_campaign' or m.campaign_name is distinct from coalesce(h.name, 'Unknown')
union
-- leads of ads that are new or belong to another campaign now
select (l.created_at at time zone %(zone)s)::date
from core.ads a join core.leads l using (ad_id) left join core.ad_groups g using (ad_group_id)
where l.campaign_id is null and (a._loaded_at >= %(since)s or g._loaded_at >= %(since)s)

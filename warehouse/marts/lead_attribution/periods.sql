select day from ops.touched where core_table = 'leads' and touched_at >= %(since)s
union
-- leads whose deal changed, or another deal of the same account
select (l.created_at at time zone %(zone)s)::date
from (
    with changed as (
        select opportunity_id, account_id, source_lead_id from core.opportunities
        where opportunity_id in (select entity_id::uuid from ops.touched
                                 where core_table = 'opportunities' and touched_at >= %(since)s)
    ), deals as (
        select opportunity_id, source_lead_id from changed
        union
        select opportunity_id, source_lead_id from core.opportunities where account_id in (select account_id from changed)
    )
    select created_at from core.leads where lead_id in (select source_lead_id from deals)
    union all
    select created_at from core.leads where converted_opportunity_id in (select opportunity_id from deals)
) l
union
-- leads that a new or renamed campaign may be meant by
select (l.created_at at time zone %(zone)s)::date
from core.leads l
where l.campaign_id is null and l.utm_campaign is not null and lower(btrim(l.utm_campaign, ' ')) in (
    select utm from core.campaigns c cross join lateral (values (c.campaign_id::text), (lower(btrim(c.name, ' ')))) named(utm)
    where c._loaded_at >= %(since)s
)
union
select m.date_day
from core.campaigns c join marts.lead_attribution m using (campaign_id)
where c._loaded_at >= %(since)s and m.campaign_name = 'Unknown'
union
-- leads of ads that are new or belong elsewhere
select (l.created_at at time zone %(zone)s)::date
from core.ads a join core.leads l using (ad_id) left join core.ad_groups g using (ad_group_id)
where l.campaign_id is null and (a._loaded_at >= %(since)s or g._loaded_at >= %(since)s)
union
-- stages that became won or lost ones
select m.date_day
from core.pipeline_stages s join core.opportunities o using (stage_id)
join marts.lead_attribution m using (opportunity_id)
where s._loaded_at >= %(since)s and m.is_won <> s.is_won

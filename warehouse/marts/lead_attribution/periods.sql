select day from ops.touched where core_table = 'leads' and touched_at >= %(since)s
union
-- leads whose deal changed, or another deal of the same account
select (l.created_at at time zone %(zone)s)::date
from ops.touched t
join core.opportunities changed on changed.opportunity_id = t.entity_id::uuid
join core.opportunities o on o.opportunity_id = changed.opportunity_id or o.account_id = changed.account_id
join core.leads l on l.lead_id = o.source_lead_id or l.converted_opportunity_id = o.opportunity_id
where t.core_table = 'opportunities' and t.touched_at >= %(since)s
union
-- leads that a new or renamed campaign may be meant by
select (l.created_at at time zone %(zone)s)::date
from core.campaigns c
join core.leads l on l.campaign_id is null and l.utm_campaign is not null
                 and lower(btrim(l.utm_campaign, ' ')) in (c.campaign_id::text, lower(btrim(c.name, ' ')))
where c._loaded_at >= %(since)s
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

-- live figures for dashboards: totals beside the budget, and what the last hour brought
drop view if exists realtime.live_campaign;
create view realtime.live_campaign as
select
    t.campaign_id,
    c.name,
    c.status,
    c.currency_code,
    c.budget,
    t.spend,
    t.impressions,
    t.clicks,
    t.conversions,
    t.budget_level_pct,
    coalesce(h.spend, 0) as last_hour_spend,
    coalesce(h.impressions, 0) as last_hour_impressions,
    t.updated_at
from realtime.campaign_total t
left join core.campaigns c on c.campaign_id = t.campaign_id
left join lateral (
    select sum(m.spend) as spend, sum(m.impressions) as impressions
    from realtime.campaign_minute m
    where m.campaign_id = t.campaign_id and m.minute > clock_timestamp() - interval '1 hour' and m.minute <= clock_timestamp()
) h on true
where not coalesce(c.is_deleted, false);

comment on view realtime.live_campaign is 'Live figures by campaign; not to be summed with marts.';
comment on column realtime.live_campaign.campaign_id is 'The campaign.';
comment on column realtime.live_campaign.name is 'Its name now.';
comment on column realtime.live_campaign.status is 'Its status now.';
comment on column realtime.live_campaign.currency_code is 'ISO 4217 code of all money in the row.';
comment on column realtime.live_campaign.budget is 'Budget of the whole flight.';
comment on column realtime.live_campaign.spend is 'All money spent so far.';
comment on column realtime.live_campaign.impressions is 'Times shown so far.';
comment on column realtime.live_campaign.clicks is 'Clicks so far.';
comment on column realtime.live_campaign.conversions is 'Conversions so far, as the ad platform reports them.';
comment on column realtime.live_campaign.budget_level_pct is 'The highest of 80, 100 and 120 per cent of the budget that is spent; 0 below.';
comment on column realtime.live_campaign.last_hour_spend is 'Money spent in the last 60 minutes.';
comment on column realtime.live_campaign.last_hour_impressions is 'Times shown in the last 60 minutes.';
comment on column realtime.live_campaign.updated_at is 'When the figures last changed, UTC.';

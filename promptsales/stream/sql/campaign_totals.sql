-- move the totals, and lock those of campaigns whose budget may have changed: who comes second sees what the first did
insert into realtime.campaign_total as t (campaign_id, impressions, clicks, spend, conversions)
select campaign_id, impressions, clicks, spend, conversions
from json_to_recordset(%(totals)s::json)
    as x(campaign_id uuid, impressions bigint, clicks bigint, spend numeric, conversions bigint)
order by campaign_id
on conflict (campaign_id) do update
set impressions = t.impressions + excluded.impressions, clicks = t.clicks + excluded.clicks,
    spend = t.spend + excluded.spend, conversions = t.conversions + excluded.conversions, updated_at = clock_timestamp()

-- totals that are not the sum of their days
update realtime.campaign_total t
set impressions = s.impressions, clicks = s.clicks, spend = s.spend, conversions = s.conversions,
    updated_at = clock_timestamp()
from (
    select
        campaign_id, sum(impressions) as impressions, sum(clicks) as clicks, sum(spend) as spend,
        sum(conversions) as conversions
    from realtime.campaign_day group by campaign_id
) s
where s.campaign_id = t.campaign_id
  and (t.impressions, t.clicks, t.spend, t.conversions) <> (s.impressions, s.clicks, s.spend, s.conversions)

select day from ops.touched where core_table = 'campaign_metrics' and touched_at >= %(since)s
union
-- a campaign that became known, or changed its currency
select m.date_day
from core.campaigns c join marts.campaign_performance_hourly m using (campaign_id)
where c._loaded_at >= %(since)s and (m.currency_code <> coalesce(c.currency_code, 'XXX') or m.campaign_name = 'Unknown')

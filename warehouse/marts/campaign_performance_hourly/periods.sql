select day from ops.touched where core_table = 'campaign_metrics' and touched_at >= %(since)s
union
-- a campaign that became known, changed its currency, or had another name by the end of an hour
select m.date_day
from core.campaigns c join marts.campaign_performance_hourly m using (campaign_id)
left join lateral (
    select v.* from core.campaigns_history v
    where v.campaign_id = c.campaign_id and v.valid_from < m.hour_at + interval '1 hour'
    order by v.valid_from desc limit 1
) h on h.valid_to >= m.hour_at + interval '1 hour'
where c._loaded_at >= %(since)s
  and (m.currency_code <> coalesce(c.currency_code, 'XXX') or m.campaign_name is distinct from coalesce(h.name, 'Unknown'))

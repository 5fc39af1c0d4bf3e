with cell as (
    select campaign_id, date_trunc('hour', metric_at, 'UTC') as hour_at, sum(impressions) as impressions, sum(clicks) as clicks,
           sum(spend) as spend, sum(conversions) as conversions
    from core.campaign_metrics where not is_deleted group by 1, 2
)
select campaign_id, hour_at, coalesce(c.currency_code, 'XXX'), (hour_at at time zone 'UTC')::date,
       coalesce((select h.name from core.campaigns_history h where h.campaign_id = cell.campaign_id
                 and h.valid_from < hour_at + interval '1 hour' and h.valid_to >= hour_at + interval '1 hour'), 'Unknown'),
       impressions, clicks, spend, conversions,
       round(clicks::numeric / nullif(impressions, 0), 6), round(spend / nullif(clicks, 0), 6), round(1000 * spend / nullif(impressions, 0), 6),
       round(conversions::numeric / nullif(clicks, 0), 6), round(spend / nullif(conversions, 0), 6)
from cell left join core.campaigns c using (campaign_id)

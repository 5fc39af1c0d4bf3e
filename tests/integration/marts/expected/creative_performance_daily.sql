with shown as (
    select m.*, (m.metric_at at time zone 'UTC')::date as day, h.content_id, h.ad_group_id
    from core.ad_metrics m left join core.ads_history h
      on h.ad_id = m.ad_id and h.valid_from < ((m.metric_at at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
     and h.valid_to >= ((m.metric_at at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
    where not m.is_deleted
), cell as (
    select coalesce(s.content_id, 'Unknown') as asset_id, s.day, coalesce(c.currency_code, 'XXX') as currency_code, a.model, a.type,
           count(distinct s.ad_id) as ads, sum(s.impressions) as impressions, sum(s.clicks) as clicks, sum(s.spend) as spend, sum(s.conversions) as conversions
    from shown s left join core.ad_groups g using (ad_group_id) left join core.campaigns c using (campaign_id)
    left join core.content_assets a on a.asset_id = s.content_id
    where s.day <= %(as_of_day)s::date group by 1, 2, 3, 4, 5
)
select asset_id, day, currency_code,
       coalesce((select k.label from core.ai_model k where cell.model ~* k.match_pattern order by k.match_priority limit 1), 'Unknown'),
       coalesce(type, 'Unknown'), ads, impressions, clicks, spend, conversions,
       round(clicks::numeric / nullif(impressions, 0), 6), round(spend / nullif(clicks, 0), 6), round(1000 * spend / nullif(impressions, 0), 6),
       round(conversions::numeric / nullif(clicks, 0), 6), round(spend / nullif(conversions, 0), 6),
       day > %(as_of_day)s::date - 3
from cell

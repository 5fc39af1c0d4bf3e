with ad as (
    select h.*, g.campaign_id, a.created_at, a.deleted_at, a.is_deleted
    from core.ads_history h left join core.ad_groups g using (ad_group_id) left join core.ads a using (ad_id)
), shown as (
    select m.*, (m.metric_at at time zone 'UTC')::date as day, h.content_id, h.campaign_id
    from core.ad_metrics m left join ad h
      on h.ad_id = m.ad_id and h.valid_from < ((m.metric_at at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
     and h.valid_to >= ((m.metric_at at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
    where not m.is_deleted
), campaign_day as (
    select campaign_id, (metric_at at time zone 'UTC')::date as day, sum(impressions) as impressions, sum(clicks) as clicks,
           sum(spend) as spend, sum(conversions) as conversions
    from core.campaign_metrics where not is_deleted group by 1, 2
), sharing as (
    select d.*, ad.ad_id, ad.content_id, count(*) over (partition by campaign_id, day) as ads,
           row_number() over (partition by campaign_id, day order by ad.ad_id) as place
    from campaign_day d join ad using (campaign_id)
    where ad.status = 'active' and not ad.is_deleted
      and greatest(ad.created_at, ad.valid_from) < (day + 1)::timestamp at time zone 'UTC'
      and least(ad.deleted_at, ad.valid_to) >= (day + 1)::timestamp at time zone 'UTC'
      and (campaign_id, day) not in (select campaign_id, day from shown where campaign_id is not null)
), delivery as (
    select ad_id, content_id, campaign_id, day, impressions::numeric, clicks::numeric, spend, conversions::numeric, false as is_allocated from shown
    union all
    select ad_id, content_id, campaign_id, day, div(impressions, ads) + (place <= impressions %% ads)::int, div(clicks, ads) + (place <= clicks %% ads)::int,
           trunc(spend / ads, 4) + case when place <= (spend - ads * trunc(spend / ads, 4)) * 10000 then 0.0001 else 0 end,
           div(conversions, ads) + (place <= conversions %% ads)::int, true
    from sharing
), cell as (
    select coalesce(s.content_id, 'Unknown') as asset_id, s.day, coalesce(c.currency_code, 'XXX') as currency_code, a.model, a.type, s.is_allocated,
           count(distinct s.ad_id) as ads, sum(s.impressions) as impressions, sum(s.clicks) as clicks, sum(s.spend) as spend, sum(s.conversions) as conversions
    from delivery s left join core.campaigns c using (campaign_id)
    left join core.content_assets a on a.asset_id = s.content_id
    where s.day <= %(as_of_day)s::date group by 1, 2, 3, 4, 5, 6
)
select asset_id, day, currency_code,
       coalesce((select k.label from core.ai_model k where cell.model ~* k.match_pattern order by k.match_priority limit 1), 'Unknown'),
       coalesce(type, 'Unknown'), ads, impressions, clicks, spend, conversions,
       round(clicks::numeric / nullif(impressions, 0), 6), round(spend / nullif(clicks, 0), 6), round(1000 * spend / nullif(impressions, 0), 6),
       round(conversions::numeric / nullif(clicks, 0), 6), round(spend / nullif(conversions, 0), 6),
       day > %(as_of_day)s::date - 3, is_allocated
from cell

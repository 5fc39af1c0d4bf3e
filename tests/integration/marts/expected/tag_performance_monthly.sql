-- from the mart that this view reads, which has its own expected statement
with tag as (
    select distinct a.asset_id, t.tag from core.content_assets a, unnest(a.tags) as t(tag)
)
select date_trunc('month', p.date_day)::date, coalesce(tag, 'no tag'), currency_code, is_allocated, count(distinct asset_id), sum(ads),
       sum(impressions), sum(clicks), sum(spend), sum(conversions),
       round(sum(clicks) / nullif(sum(impressions), 0), 6), round(sum(spend) / nullif(sum(clicks), 0), 6),
       round(1000 * sum(spend) / nullif(sum(impressions), 0), 6), round(sum(conversions) / nullif(sum(clicks), 0), 6),
       round(sum(spend) / nullif(sum(conversions), 0), 6)
from marts.creative_performance_daily p left join tag using (asset_id)
group by 1, 2, 3, 4

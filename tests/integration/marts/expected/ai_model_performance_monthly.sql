-- from the mart that this view reads, which has its own expected statement
select date_trunc('month', date_day)::date, model_label, asset_type, currency_code, count(distinct asset_id), sum(ads),
       sum(impressions), sum(clicks), sum(spend), sum(conversions),
       round(sum(clicks) / nullif(sum(impressions), 0), 6), round(sum(spend) / nullif(sum(clicks), 0), 6),
       round(1000 * sum(spend) / nullif(sum(impressions), 0), 6), round(sum(conversions) / nullif(sum(clicks), 0), 6),
       round(sum(spend) / nullif(sum(conversions), 0), 6), is_allocated
from marts.creative_performance_daily
group by 1, 2, 3, 4, is_allocated

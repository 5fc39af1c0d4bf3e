select model_label as model, asset_type as type, currency_code as currency, sum(ad_days) as "ad days", sum(impressions) as impressions,
       round(100 * sum(clicks)::numeric / nullif(sum(impressions), 0), 3) as "CTR, %%", round(sum(spend) / nullif(sum(conversions), 0), 2) as "CPA",
       round(100 * coalesce(sum(impressions) filter (where is_allocated), 0) / nullif(sum(impressions), 0), 1) as "allocated, %%"
from marts.ai_model_performance_monthly group by 1, 2, 3 order by 5 desc limit 12

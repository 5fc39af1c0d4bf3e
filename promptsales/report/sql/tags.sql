select tag, currency_code as currency, sum(ad_days) as "ad days", sum(impressions) as impressions,
       round(100 * sum(clicks)::numeric / nullif(sum(impressions), 0), 3) as "CTR, %%", round(sum(spend) / nullif(sum(conversions), 0), 2) as "CPA"
from marts.tag_performance_monthly group by 1, 2 order by 4 desc limit 12

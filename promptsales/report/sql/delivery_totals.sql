select currency_code as currency, sum(spend) as spend, sum(impressions) as impressions, sum(clicks) as clicks,
       sum(conversions) as conversions, round(100 * sum(clicks)::numeric / nullif(sum(impressions), 0), 2) as "CTR, %%",
       round(sum(spend) / nullif(sum(clicks), 0), 2) as "CPC", round(1000 * sum(spend) / nullif(sum(impressions), 0), 2) as "CPM",
       round(sum(spend) / nullif(sum(conversions), 0), 2) as "CPA"
from marts.campaign_performance_daily where date_day > %(until)s::date - 60 group by 1 order by 1

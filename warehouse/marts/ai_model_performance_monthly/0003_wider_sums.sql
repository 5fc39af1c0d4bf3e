-- what was measured and what was allocated, in rows of their own
drop view if exists marts.ai_model_performance_monthly;
create view marts.ai_model_performance_monthly as
with sums as (
    select date_trunc('month', date_day)::date as month_start_date, model_label, asset_type, currency_code, is_allocated,
           count(distinct asset_id) as assets, sum(ads)::bigint as ad_days, sum(impressions)::bigint as impressions,
           sum(clicks)::bigint as clicks, sum(spend)::numeric(27,4) as spend, sum(conversions)::bigint as conversions
    from marts.creative_performance_daily
    group by 1, 2, 3, 4, 5
)
select month_start_date, model_label, asset_type, currency_code, assets, ad_days, impressions, clicks, spend, conversions,
    (clicks::numeric / nullif(impressions, 0))::numeric(38,6) as ctr,
    (spend / nullif(clicks, 0))::numeric(38,6) as cpc,
    (1000 * spend / nullif(impressions, 0))::numeric(38,6) as cpm,
    (conversions::numeric / nullif(clicks, 0))::numeric(38,6) as cvr,
    (spend / nullif(conversions, 0))::numeric(38,6) as cpa,
    is_allocated
from sums;

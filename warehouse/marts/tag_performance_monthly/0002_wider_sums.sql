-- marts.creative_performance_daily rolled up by the tags that its assets have now; ratios from sums
drop view if exists marts.tag_performance_monthly;
create view marts.tag_performance_monthly as
with sums as (
    select date_trunc('month', p.date_day)::date as month_start_date, t.tag, p.currency_code, p.is_allocated,
           count(distinct p.asset_id) as assets, sum(p.ads)::bigint as ad_days, sum(p.impressions)::bigint as impressions,
           sum(p.clicks)::bigint as clicks, sum(p.spend)::numeric(27,4) as spend, sum(p.conversions)::bigint as conversions
    from marts.creative_performance_daily p
    left join core.content_assets a using (asset_id)
    cross join lateral (
        select distinct unnest(case when cardinality(a.tags) > 0 then a.tags else array['no tag'] end) as tag
    ) t
    group by 1, 2, 3, 4
)
select month_start_date, tag, currency_code, is_allocated, assets, ad_days, impressions, clicks, spend, conversions,
    (clicks::numeric / nullif(impressions, 0))::numeric(38,6) as ctr,
    (spend / nullif(clicks, 0))::numeric(38,6) as cpc,
    (1000 * spend / nullif(impressions, 0))::numeric(38,6) as cpm,
    (conversions::numeric / nullif(clicks, 0))::numeric(38,6) as cvr,
    (spend / nullif(conversions, 0))::numeric(38,6) as cpa
from sums;

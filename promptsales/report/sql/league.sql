with month as (
    select campaign_id, currency_code, date_day > %(until)s::date - 28 as is_now, sum(spend) as spend, sum(clicks) as clicks,
           sum(conversions) as conversions
    from marts.campaign_performance_daily where date_day > %(until)s::date - 56 group by 1, 2, 3
), ranked as (
    select month.*, row_number() over (partition by currency_code order by spend desc, campaign_id) as place
    from month where is_now and spend > 0
)
select n.currency_code as currency, n.place as "rank", c.campaign_name as campaign, n.spend as "spend, 28 days",
       round(100 * (n.spend - b.spend) / nullif(b.spend, 0), 1) as "change, %%", n.clicks, n.conversions,
       round(n.spend / nullif(n.conversions, 0), 2) as "CPA"
from ranked n join marts.campaign c using (campaign_id)
left join month b on b.campaign_id = n.campaign_id and b.currency_code = n.currency_code and not b.is_now
where n.place <= 8 order by 1, 2

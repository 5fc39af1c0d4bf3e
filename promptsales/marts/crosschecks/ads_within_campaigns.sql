-- what ads cost on a day is not more than what campaigns cost in that currency; less is normal, as not all delivery has an ad
select a.date_day, a.currency_code
from (select date_day, currency_code, sum(spend) as spend from marts.creative_performance_daily
      where currency_code <> 'XXX' group by 1, 2) a
left join (select date_day, currency_code, sum(spend) as spend from marts.campaign_performance_daily group by 1, 2) c
  using (date_day, currency_code)
where a.spend > coalesce(c.spend, 0)

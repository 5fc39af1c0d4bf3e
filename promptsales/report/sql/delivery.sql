select date_day as day, sum(spend) as spend from marts.campaign_performance_daily
where currency_code = %(currency)s and date_day > %(until)s::date - 60 group by 1 order by 1

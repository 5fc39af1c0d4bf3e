-- the currency most money is spent in: charts of money show one, tables all
select currency_code from marts.campaign_performance_daily group by 1 order by sum(spend) desc, 1 limit 1

-- charts of money show one currency, tables all: that of most campaigns, as amounts of currencies do not compare
select currency_code from marts.campaign_performance_daily group by 1 order by count(distinct campaign_id) desc, 1 limit 1

select date_day as day, sum(open_amount) as amount, sum(weighted_amount) as weighted from marts.sales_pipeline_daily
where date_day > %(pipeline_day)s::date - 60 and currency_code = %(deal_currency)s group by 1 order by 1

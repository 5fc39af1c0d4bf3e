select currency_code, max(date_day) from marts.sales_pipeline_daily group by 1 order by count(*) desc, 1 limit 1

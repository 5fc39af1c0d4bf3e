select stage_name as stage, sum(open_amount) as amount, sum(weighted_amount) as weighted from marts.sales_pipeline_daily
where date_day = %(pipeline_day)s and currency_code = %(deal_currency)s group by stage_position, 1 order by stage_position

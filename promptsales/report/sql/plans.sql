select plans as plan, count(*) as users from marts.subscription_mrr_monthly
where mrr > 0 and month_start_date = (select max(month_start_date) from marts.subscription_mrr_monthly) group by 1 order by 2 desc, 1

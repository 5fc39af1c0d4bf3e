select to_char(month_start_date, 'YYYY-MM') || case when is_provisional then ' (running)' else '' end as month, currency_code as currency,
       opening_mrr as opening, closing_mrr as closing, customers_at_start as customers, customers_churned as churned,
       round(100 * customer_churn_rate, 1) as "customer churn, %%", round(100 * gross_mrr_churn_rate, 1) as "MRR churn, %%"
from marts.mrr_waterfall_monthly order by month_start_date desc, 2 limit 12

-- marts.subscription_mrr_monthly rolled up by movement
drop view if exists marts.mrr_waterfall_monthly;
create view marts.mrr_waterfall_monthly as
with sums as (
    select month_start_date, currency_code,
           sum(opening_mrr)::numeric(25,2) as opening_mrr,
           coalesce(sum(change) filter (where movement = 'new'), 0)::numeric(25,2) as new_mrr,
           coalesce(sum(change) filter (where movement = 'expansion'), 0)::numeric(25,2) as expansion_mrr,
           coalesce(sum(change) filter (where movement = 'reactivation'), 0)::numeric(25,2) as reactivation_mrr,
           coalesce(-sum(change) filter (where movement = 'contraction'), 0)::numeric(25,2) as contraction_mrr,
           coalesce(-sum(change) filter (where movement = 'churn'), 0)::numeric(25,2) as churn_mrr,
           sum(mrr)::numeric(25,2) as closing_mrr,
           count(*) filter (where opening_mrr > 0) as customers_at_start,
           count(*) filter (where movement = 'churn') as customers_churned,
           bool_or(is_provisional) as is_provisional
    from marts.subscription_mrr_monthly
    group by month_start_date, currency_code
)
select month_start_date, currency_code, opening_mrr, new_mrr, expansion_mrr, reactivation_mrr, contraction_mrr, churn_mrr,
       closing_mrr, customers_at_start, customers_churned,
       (customers_churned::numeric / nullif(customers_at_start, 0))::numeric(38,6) as customer_churn_rate,
       ((churn_mrr + contraction_mrr) / nullif(opening_mrr, 0))::numeric(38,6) as gross_mrr_churn_rate,
       is_provisional
from sums;

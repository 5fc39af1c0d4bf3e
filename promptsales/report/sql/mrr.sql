select to_char(month_start_date, 'YYYY-MM') as month, sum(new_mrr) as new, sum(expansion_mrr) as expansion, sum(reactivation_mrr) as reactivation,
       -sum(contraction_mrr) as contraction, -sum(churn_mrr) as churn
from marts.mrr_waterfall_monthly
where currency_code = 'USD' and month_start_date > (select max(month_start_date) - interval '18 months' from marts.mrr_waterfall_monthly)
group by 1 order by 1

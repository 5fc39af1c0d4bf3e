-- opening + new + expansion + reactivation - contraction - churn = closing, each month
select month_start_date from marts.mrr_waterfall_monthly
where opening_mrr + new_mrr + expansion_mrr + reactivation_mrr - contraction_mrr - churn_mrr <> closing_mrr

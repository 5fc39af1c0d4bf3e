-- no step of the funnel is wider than the one before
select campaign_id, month_start_date from marts.campaign_funnel_cohort
where not (leads >= qualified and qualified >= converted and converted >= won and won >= new_customers)

select campaign_name as campaign, currency_code as currency, sum(leads) as leads, round(sum(spend) / nullif(sum(leads), 0), 2) as "CPL",
       round(sum(spend) / nullif(sum(new_customers), 0), 2) as "paid CAC",
       round((sum(spend) + sum(ai_cost)) / nullif(sum(new_customers), 0), 2) as "paid CAC incl. AI",
       round(sum(won_amount) / nullif(sum(spend), 0), 2) as "CRM ROAS"
from marts.campaign_funnel_cohort where campaign_id <> '00000000-0000-0000-0000-000000000000'
group by 1, 2 having sum(leads) > 0 order by 3 desc, 1 limit 12

select to_char(month_start_date, 'YYYY-MM') as cohort, sum(impressions) as impressions, sum(clicks) as clicks, sum(leads) as leads,
       sum(qualified) as qualified, sum(converted) as opportunity, sum(won) as won,
       round(100 * sum(won)::numeric / nullif(sum(leads), 0), 2) as "lead to won, %%", max(cohort_age_days) as "age, days"
from marts.campaign_funnel_cohort where campaign_id <> '00000000-0000-0000-0000-000000000000' group by 1 order by 1 desc limit 12

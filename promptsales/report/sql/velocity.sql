select to_char(month_start_date, 'YYYY-MM') as month, stage_name as stage, visits, median_days_in_stage as "median days",
       p90_days_in_stage as "90th percentile", round(100 * forward_rate, 1) as "forward, %%"
from marts.stage_velocity_monthly order by month_start_date desc, stage_position limit 12

select campaign_name as campaign, currency_code as currency, budget, spend_to_date as spent, round(pacing_pct, 1) as "pacing, %%",
       round(projected_spend, 2) as projected, round(required_daily_spend, 2) as "needed a day", pacing_status as status
from marts.campaign_pacing_daily where date_day = %(until)s
order by array_position(array['overspent', 'over', 'under', 'on_track', 'no_end_date', 'not_started', 'no_budget', 'ended'], pacing_status::text), 1
limit 20

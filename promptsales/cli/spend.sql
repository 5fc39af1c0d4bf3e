select name, currency_code, spend, budget, budget_level_pct, last_hour_spend, last_hour_impressions
from realtime.live_campaign where status = 'active' order by last_hour_spend desc, spend desc, name limit 5

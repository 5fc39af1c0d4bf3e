-- names of the campaigns whose figures changed last
select c.campaign_id, c.name, c.status, c.currency_code, c.budget, c.spend, c.budget_level_pct
from realtime.live_campaign c
where c.status = 'active'
order by c.updated_at desc
limit %(limit)s

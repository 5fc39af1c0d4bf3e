select date_day as day, sum(clicks) as clicks
from marts.campaign_performance_daily where date_day > %(until)s::date - 60 group by 1 order by 1

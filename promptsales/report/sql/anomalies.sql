select date_day as day, campaign_name as campaign, measure, value, round(median, 2) as usual, points as weeks
from marts.campaign_anomaly_daily
where is_anomaly and date_day > (select max(date_day) - 28 from marts.campaign_performance_daily) order by 1 desc, 2, 3 limit 12

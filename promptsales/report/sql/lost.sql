select lost_reason as reason, sum(lost) as deals from marts.lost_reason_monthly group by 1 order by 2 desc, 1 limit 8

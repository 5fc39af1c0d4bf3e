select campaign_name as campaign, round(pacing_pct, 1) as "pacing, %%" from marts.campaign_pacing_daily
where date_day = %(until)s and pacing_status in ('under', 'on_track', 'over', 'overspent') and pacing_pct is not null
order by 2 desc, 1 limit 15

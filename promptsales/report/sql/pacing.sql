with paced as (
    select campaign_name, campaign_id, pacing_pct, pacing_status,
           row_number() over (order by pacing_pct desc, campaign_id) as fast, row_number() over (order by pacing_pct, campaign_id) as slow
    from marts.campaign_pacing_daily
    where date_day = %(until)s and pacing_status in ('under', 'on_track', 'over', 'overspent') and pacing_pct is not null
)
select campaign_name as campaign, round(pacing_pct, 1) as "pacing, %%", pacing_status as status
from paced where fast <= 8 or slow <= 8 order by pacing_pct desc, campaign_id

select count(*) filter (where status = 'active'), coalesce(sum(last_hour_impressions), 0)::bigint,
       count(*) filter (where status = 'active' and budget_level_pct > 0)
from realtime.live_campaign

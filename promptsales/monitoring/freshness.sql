select name as feed, last_sync_timestamp, complete_through, clock_timestamp() - complete_through as age,
       held_by, held_since
from unnest(%s::text[]) as name left join ops.feed on feed = name
order by name

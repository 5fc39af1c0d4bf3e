-- the larger of: how far the source's clock is before the watermark; how much less it advanced than the warehouse's clock
-- since the last load
select greatest(
    %(watermark)s::timestamptz - %(read_at)s,
    case when %(is_own_clock)s then (%(asked_at)s::timestamptz - c.noted_at) - (%(read_at)s - c.read_at) end
)
from (values (%(feed)s::text)) as asked (name) left join ops.source_clock c on c.feed = asked.name

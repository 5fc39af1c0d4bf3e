-- by how much the source's clock is behind where it must be: the watermark, and where it was plus what has passed here since
select greatest(
    %(watermark)s::timestamptz - %(read_at)s,
    case when %(is_own_clock)s then (%(asked_at)s::timestamptz - c.noted_at) - (%(read_at)s - c.read_at) end
)
from (values (%(feed)s::text)) as asked (name) left join ops.source_clock c on c.feed = asked.name

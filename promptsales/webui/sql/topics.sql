select o.topic, sum(o.next_offset)::bigint as events, max(o.applied_at) as applied_at, max(o.source_at) as source_at,
       extract(epoch from max(o.applied_at) - max(o.source_at))::float8 as latency_s,
       sum(o.unnamed_events)::bigint as unnamed_events, bool_or(o.gap_from is not null) as has_gap
from ops.stream_offset o
group by o.topic
order by o.topic

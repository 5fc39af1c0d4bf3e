-- events per second, unread events and latency between two looks of stream_health, oldest first
with looks as (
    select
        l.connector, l.noted_at, l.bus_events, extract(epoch from l.applied_at - l.source_at)::float8 as latency_s,
        (l.applied_events - lag(l.applied_events) over w)
            / nullif(extract(epoch from l.noted_at - lag(l.noted_at) over w), 0)::float8 as events_per_s
    from ops.stream_lag l
    where l.connector = any(%(connectors)s) and l.noted_at > now() - %(hours)s * interval '1 hour'
    window w as (partition by l.connector order by l.noted_at)
)
select connector, noted_at, bus_events, latency_s, greatest(events_per_s, 0) as events_per_s
from looks
order by connector, noted_at

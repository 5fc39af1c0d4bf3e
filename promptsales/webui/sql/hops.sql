-- how far each connector was behind when stream_health last looked
select
    l.connector, c.epoch, l.noted_at, l.slot_status, l.slot_bytes, l.bus_events, l.applied_at, l.source_at,
    extract(epoch from l.applied_at - l.source_at)::float8 as latency_s
from unnest(%(connectors)s::text[]) as asked (connector)
-- the index has (connector, noted_at): one row each instead of the whole history
cross join lateral (
    select x.* from ops.stream_lag x where x.connector = asked.connector order by x.noted_at desc limit 1
) l
left join ops.connector c on c.connector = l.connector
order by l.connector

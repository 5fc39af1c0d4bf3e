-- how far each connector was behind when stream_health last looked
select distinct on (l.connector)
    l.connector, c.epoch, l.noted_at, l.slot_status, l.slot_bytes, l.bus_events, l.applied_at, l.source_at,
    extract(epoch from l.applied_at - l.source_at)::float8 as latency_s
from ops.stream_lag l
left join ops.connector c on c.connector = l.connector
where l.connector = any(%(connectors)s)
order by l.connector, l.noted_at desc

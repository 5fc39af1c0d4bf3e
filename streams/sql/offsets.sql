-- how far each partition is applied, in the transaction that applied it; a replay does not turn it back
insert into ops.stream_offset as o (topic, partition, next_offset, source_at, source_lsn, unnamed_events, unnamed_at)
select topic, partition, next_offset, source_at, source_lsn, unnamed, case when unnamed > 0 then clock_timestamp() end
from json_to_recordset(%(offsets)s::json)
    as x(topic text, partition integer, next_offset bigint, source_at timestamptz, source_lsn bigint, unnamed bigint)
order by topic, partition
on conflict (topic, partition) do update
set next_offset = greatest(o.next_offset, excluded.next_offset), applied_at = clock_timestamp(),
    source_at = coalesce(excluded.source_at, o.source_at), source_lsn = coalesce(excluded.source_lsn, o.source_lsn),
    unnamed_events = o.unnamed_events + excluded.unnamed_events,
    unnamed_at = coalesce(excluded.unnamed_at, o.unnamed_at)

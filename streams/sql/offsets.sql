-- how far each partition is applied, in the transaction that applied it; events that come again do not turn it back, but
-- the first of all does: its topic may have been made anew
with came as (
    select * from json_to_recordset(%(offsets)s::json) as x(
        topic text, partition integer, first_offset bigint, next_offset bigint, source_at timestamptz,
        source_lsn bigint, unnamed bigint)
)
insert into ops.stream_offset as o (topic, partition, next_offset, source_at, source_lsn, unnamed_events, unnamed_at)
select topic, partition, next_offset, source_at, source_lsn, unnamed, case when unnamed > 0 then clock_timestamp() end
from came
order by topic, partition
on conflict (topic, partition) do update
set next_offset = case
        when (select first_offset from came where (came.topic, came.partition) = (o.topic, o.partition)) = 0
            then excluded.next_offset
        else greatest(o.next_offset, excluded.next_offset)
    end,
    applied_at = clock_timestamp(),
    source_at = coalesce(excluded.source_at, o.source_at), source_lsn = coalesce(excluded.source_lsn, o.source_lsn),
    unnamed_events = o.unnamed_events + excluded.unnamed_events,
    unnamed_at = coalesce(excluded.unnamed_at, o.unnamed_at)

-- events without a field for a column of the contract: their table is marked until an audit has found all well
insert into ops.stream_offset as o (topic, partition, next_offset, absent_events, absent_columns, absent_at)
select x.topic, x.partition, 0, count(distinct x.message_offset), array_agg(distinct x.name order by x.name), clock_timestamp()
from json_to_recordset(%(absent)s::json) as x(topic text, partition integer, message_offset bigint, name text)
group by 1, 2 order by 1, 2
on conflict (topic, partition) do update
set absent_events = o.absent_events + excluded.absent_events, absent_at = excluded.absent_at,
    absent_columns = array(
        select unnest(o.absent_columns) -- noqa: RF01
        union
        select unnest(excluded.absent_columns) -- noqa: RF01
        order by 1
    )

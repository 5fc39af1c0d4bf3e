-- how far each partition is applied, in the transaction that applied it; events that come again do not turn it back, but
-- the first of all does: its topic may have been made anew. An event beyond the next one shows that those between are gone
with came as (
    select x.*, case when x.first_offset = 0 then 0 else coalesce(o.next_offset, 0) end as expected
    from json_to_recordset(%(offsets)s::json) as x(
        topic text, partition integer, first_offset bigint, next_offset bigint, source_at timestamptz,
        source_lsn bigint, unnamed bigint, gap_from bigint, gap_to bigint, gap_epoch integer)
    left join ops.stream_offset o using (topic, partition)
), judged as (
    select topic, partition, first_offset, next_offset, source_at, source_lsn, unnamed, lost_to,
           case when first_offset > expected then expected else greatest(gap_from, expected) end as lost_from,
           coalesce(gap_epoch, (select epoch from ops.connector where connector = split_part(topic, '.', 1)), 1) as epoch
    from came
    cross join lateral (
        -- a jump within the batch; where it begins beyond the next one, that too
        select case when gap_to > expected then gap_to when first_offset > expected then first_offset end as lost_to
    ) gap
), noted as (
    insert into ops.stream_offset as o (topic, partition, next_offset, source_at, source_lsn, unnamed_events, unnamed_at,
                                        gap_from, gap_to, gap_epoch, gap_at)
    select topic, partition, next_offset, source_at, source_lsn, unnamed,
           case when unnamed > 0 then clock_timestamp() end,
           case when lost_to is not null then lost_from end, lost_to, case when lost_to is not null then epoch end,
           case when lost_to is not null then clock_timestamp() end
    from judged
    order by topic, partition
    on conflict (topic, partition) do update
    set next_offset = case
            when (select first_offset from came where (came.topic, came.partition) = (o.topic, o.partition)) = 0 -- noqa: RF01
                then excluded.next_offset
            else greatest(o.next_offset, excluded.next_offset)
        end,
        applied_at = clock_timestamp(),
        source_at = coalesce(excluded.source_at, o.source_at), source_lsn = coalesce(excluded.source_lsn, o.source_lsn),
        unnamed_events = o.unnamed_events + excluded.unnamed_events,
        unnamed_at = coalesce(excluded.unnamed_at, o.unnamed_at),
        gap_from = coalesce(o.gap_from, excluded.gap_from),
        gap_to = coalesce(excluded.gap_to, o.gap_to),
        gap_epoch = greatest(o.gap_epoch, excluded.gap_epoch),
        gap_at = coalesce(excluded.gap_at, o.gap_at)
)
select topic, partition, lost_from as first, lost_to as following, lost_to as start, true as has_more
from judged
where lost_to is not null
order by topic, partition

-- the first column holds core tables too; failed_rules says why a table failed its last check
alter view marts.data_freshness rename column mart to table_name;

create or replace view marts.data_freshness as
select
    t.table_name,
    t.complete_through,
    t.last_event_at,
    t.last_loaded_at,
    case when not t.is_streamed then t.status when found.rules is null then 'not audited'
         when found.failed then 'failed' when found.warned then 'warned' else 'passed' end as last_batch_status,
    waiting.quarantined_rows,
    coalesce(t.complete_through < clock_timestamp() - t.stale_after, true) as is_stale,
    found.failed_rules
from (
    select f.feed as table_name, f.complete_through, changed.last_event_at, last.published_at as last_loaded_at, false as is_streamed,
           case when last.feed is null then 'never loaded' when last.checks_failed > 0 then 'warned' else 'passed' end as status,
           allowed.stale_after
    from ops.feed f
    left join ops.staleness allowed on allowed.name = f.feed and not allowed.is_mart
    left join lateral (
        select l.feed, l.published_at, l.checks_failed
        from ops.load l where l.feed = f.feed order by l.extraction desc limit 1
    ) last on true
    cross join lateral (
        select max(l.read_at) as last_event_at from ops.load l where l.feed = f.feed and l.inserted + l.updated > 0
    ) changed
    where f.topic is null
    union all
    select f.feed, f.complete_through, applied.source_at, applied.applied_at, true, null, allowed.stale_after
    from ops.feed f
    left join ops.staleness allowed on allowed.name = f.feed and not allowed.is_mart
    cross join lateral (
        select max(o.source_at) as source_at, max(o.applied_at) as applied_at
        from ops.stream_offset o where o.topic = f.topic
    ) applied
    where f.topic is not null
    union all
    select m.mart, m.complete_through, changed.at, last.published_at, false,
           case when last.checks_failed > 0 then 'warned' else 'passed' end, allowed.stale_after
    from ops.mart m
    left join ops.staleness allowed on allowed.name = m.mart and allowed.is_mart
    join lateral (
        select b.published_at, b.checks_failed from ops.mart_build b where b.mart = m.mart order by b.build_id desc limit 1
    ) last on true
    cross join lateral (
        select max(b.published_at) as at from ops.mart_build b where b.mart = m.mart and b.inserted + b.updated + b.deleted > 0
    ) changed
) t
cross join lateral (
    -- of each rule its last result: results of one check arrive within minutes of one another, and of two as well.
    -- A suite runs at least once a day, so an older result is of a rule that left it
    select nullif(count(*), 0) as rules, bool_or(not r.is_success and r.on_fail = 'warn') as warned,
           bool_or(not r.is_success and (r.on_fail <> 'warn' or r.error is not null)) as failed,
           string_agg(
               r.rule || case when r.error is not null then ' (could not run)'
                              when r.unexpected_count > 0 then format(' (%s rows)', r.unexpected_count) else '' end,
               ', ' order by r.rule
           ) filter (where not r.is_success) as failed_rules
    from (
        select distinct on (c.rule) c.rule, c.is_success, c.on_fail, c.error, c.unexpected_count
        from ops.check_result c
        where c.feed = t.table_name and c.checked_at > (
            select max(newest.checked_at) from ops.check_result newest where newest.feed = t.table_name
        ) - interval '1 day'
        order by c.rule, c.check_result_id desc
    ) r
) found
cross join lateral (
    select count(*) as quarantined_rows from ops.quarantine q where q.feed = t.table_name and q.released_at is null
) waiting;

comment on column marts.data_freshness.table_name is 'The core table, streamed table or mart.';
comment on column marts.data_freshness.failed_rules is 'The rules that failed in the last check of the table, with the number of rows; null if none failed.';

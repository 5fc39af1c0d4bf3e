with history as (
    -- without conditions on loads and builds: PostgreSQL merges such branches by their indexes, and others it sorts
    select
        l.feed as name, l.mode, l.published_at, extract(epoch from l.published_at - l.started_at)::float8 as seconds,
        l.extracted as rows_read, l.inserted, l.updated, l.quarantined, l.checks_failed, l.complete_through, l.triggered_by,
        case
            when l.quarantined > 0 then 'quarantined'
            when l.checks_failed > 0 then 'warned'
            when l.inserted + l.updated > 0 then 'changed'
            else 'unchanged'
        end as state
    from ops.load l
    union all
    select
        b.mart, case when b.is_full then 'full build' else 'build' end, b.published_at,
        extract(epoch from b.published_at - b.started_at)::float8, b.staged, b.inserted, b.updated, null::bigint,
        b.checks_failed, b.complete_through, b.triggered_by,
        case
            when b.checks_failed > 0 then 'warned'
            when b.inserted + b.updated + b.deleted > 0 then 'changed'
            else 'unchanged'
        end
    from ops.mart_build b
    union all
    -- a batch that its checks blocked published nothing, so only their results tell of it
    select
        c.feed, 'blocked', max(c.checked_at), null::float8, null::bigint, null::bigint, null::bigint, null::bigint,
        count(*)::integer, null::timestamptz, null::text, 'blocked'
    from ops.check_result c
    where not c.is_success and c.on_fail <> 'warn' and c.extraction is not null
      and (%(since)s::timestamptz is null or c.checked_at >= %(since)s) and (%(name)s::text is null or c.feed = %(name)s)
      and not exists (select from ops.load l where l.feed = c.feed and l.extraction = c.extraction)
    group by c.feed, c.extraction
), classified as (
    select *, case
        when triggered_by like 'cli:%%' then 'command'
        when triggered_by like '%%/scheduled\_\_%%' then 'schedule'
        when triggered_by like '%%/asset\_triggered\_\_%%' then 'asset'
        when triggered_by like '%%/backfill\_\_%%' then 'backfill'
        when triggered_by is not null then 'manual'
    end as trigger
    from history
), chosen as not materialized (
    -- read twice: a page reads its rows in the order of an index, and the count reads what the filters name
    select * from classified
    where (%(since)s::timestamptz is null or published_at >= %(since)s) and (%(name)s::text is null or name = %(name)s)
      and (%(state)s::text is null or state = %(state)s) and (%(trigger)s::text is null or trigger = %(trigger)s)
)
select name, mode, state, published_at, seconds, rows_read, inserted, updated, quarantined, checks_failed, complete_through,
       trigger, triggered_by, (select count(*) from chosen) as total
from chosen
order by published_at desc, name
limit %(limit)s offset %(skip)s

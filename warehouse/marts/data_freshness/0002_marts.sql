-- beside the feeds the marts; marts.campaign_performance_today and the like follow the marts they are made of
create or replace view marts.data_freshness as
select
    f.feed as mart,
    f.complete_through,
    changed.last_event_at,
    last.published_at as last_loaded_at,
    case when last.feed is null then 'never loaded' when last.checks_failed > 0 then 'warned' else 'passed' end
        as last_batch_status,
    waiting.quarantined_rows,
    coalesce(f.complete_through < clock_timestamp() - interval '4 hours', true) as is_stale
from ops.feed f
left join lateral (
    select l.feed, l.published_at, l.checks_failed
    from ops.load l where l.feed = f.feed order by l.extraction desc limit 1
) last on true
cross join lateral (
    select max(l.read_at) as last_event_at from ops.load l where l.feed = f.feed and l.inserted + l.updated > 0
) changed
cross join lateral (
    select count(*) as quarantined_rows from ops.quarantine q where q.feed = f.feed and q.released_at is null
) waiting
union all
select
    m.mart,
    m.complete_through,
    changed.at,
    last.published_at,
    case when last.checks_failed > 0 then 'warned' else 'passed' end,
    0,
    coalesce(m.complete_through < clock_timestamp() - interval '4 hours', true)
from ops.mart m
join lateral (
    select b.published_at, b.checks_failed from ops.mart_build b where b.mart = m.mart order by b.build_id desc limit 1
) last on true
cross join lateral (
    select max(b.published_at) as at from ops.mart_build b where b.mart = m.mart and b.inserted + b.updated + b.deleted > 0
) changed;

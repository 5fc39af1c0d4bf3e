-- one row a table: how far it is complete, its last load or build, its quarantine, the last result of each of its rules
with recursive chosen as (
    select name from unnest(%(names)s::text[]) as name
), rules as (
    -- the index has (feed, rule): step from rule to rule instead of reading every result
    select c.name, (select min(r.rule) from ops.check_result r where r.feed = c.name) as rule from chosen c
    union all
    select x.name, (select min(r.rule) from ops.check_result r where r.feed = x.name and r.rule > x.rule)
    from rules x where x.rule is not null
), results as (
    select x.name, last.is_success, last.checked_at,
           -- a load puts rows that break a rule of this kind aside; in a check of the whole table they are in it
           last.on_fail = 'block' or last.on_fail = 'quarantine' and last.extraction is null as is_grave
    from rules x
    cross join lateral (
        select r.is_success, r.on_fail, r.checked_at, r.extraction from ops.check_result r
        where r.feed = x.name and r.rule = x.rule order by r.check_result_id desc limit 1
    ) last
), checks as (
    -- a rule that was not checked for a day before the table's last check exists no more
    select r.name, max(r.checked_at) as checked_at,
           count(*) filter (where not r.is_success and r.is_grave) as checks_failed,
           count(*) filter (where not r.is_success and not r.is_grave) as checks_warned, count(*) as checks
    from results r
    where r.checked_at > (select max(n.checked_at) from results n where n.name = r.name) - interval '1 day'
    group by r.name
), waiting as (
    select q.feed, count(*) as quarantined from ops.quarantine q where q.released_at is null group by q.feed
), applied as (
    select o.topic, max(o.applied_at) as applied_at from ops.stream_offset o group by o.topic
)
select
    c.name,
    coalesce(f.complete_through, m.complete_through) as complete_through,
    extract(epoch from clock_timestamp() - coalesce(f.complete_through, m.complete_through))::float8 as lag_s,
    f.held_by,
    coalesce(l.published_at, b.published_at, a.applied_at) as loaded_at,
    coalesce(l.rows_changed, b.rows_changed) as rows_changed,
    coalesce(l.triggered_by, b.triggered_by) as triggered_by,
    b.published_at as built_at,
    coalesce(w.quarantined, 0) as quarantined,
    k.checked_at, k.checks, k.checks_failed, k.checks_warned
from chosen c
left join ops.feed f on f.feed = c.name
left join ops.mart m on m.mart = c.name
left join applied a on a.topic = f.topic
left join waiting w on w.feed = c.name
left join checks k on k.name = c.name
left join lateral (
    select x.published_at, x.inserted + x.updated as rows_changed, x.triggered_by
    from ops.load x where x.feed = c.name order by x.extraction desc limit 1
) l on true
left join lateral (
    select x.published_at, x.inserted + x.updated + x.deleted as rows_changed, x.triggered_by
    from ops.mart_build x where x.mart = c.name order by x.published_at desc limit 1
) b on true
order by c.name

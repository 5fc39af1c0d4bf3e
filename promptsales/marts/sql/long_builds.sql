-- runs that build a mart for long, and for over three times its slowest build of the last 20
select n.mart, m.pid, m.taken_by, m.taken_at, h.slowest
from unnest(%(marts)s::text[], %(numbers)s::bigint[]) n (mart, number)
join pg_locks l on l.locktype = 'advisory' and l.granted and l.classid = %(space)s and l.objid = n.number
                   and l.objsubid = 2
                   and l.database = (select oid from pg_database where datname = current_database())
join ops.mart_lock m on m.mart = n.mart and m.pid = l.pid
cross join lateral (
    select max(b.published_at - b.started_at) as slowest
    from (
        select published_at, started_at from ops.mart_build where mart = n.mart order by published_at desc limit 20
    ) b
) h
where clock_timestamp() - m.taken_at > greatest(%(at_least)s, 3 * h.slowest) and h.slowest is not null
order by n.mart

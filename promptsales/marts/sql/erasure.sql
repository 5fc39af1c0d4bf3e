-- the session that keeps all builds out, and since when its transaction runs
select format('session %%s of %%s, since %%s UTC', l.pid, a.usename,
              coalesce(to_char(coalesce(a.xact_start, a.query_start) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), 'an unknown time'))
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.mode = 'ExclusiveLock' and l.classid = 0 and l.objid = %(number)s and l.objsubid = 1
  and l.database = (select oid from pg_database where datname = current_database())
order by l.granted desc
limit 1

-- who holds a lock of the builds, and since when its session is open
select format('session %%s of %%s, connected since %%s UTC', l.pid, a.usename,
              coalesce(to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), 'an unknown time'))
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.classid = %(space)s and l.objid = %(number)s and l.objsubid = %(kind)s
  and l.database = (select oid from pg_database where datname = current_database())
